/** One watch: what changes in a list from a known version on, until the server ends it (kubernetes "API concepts", watches). */
import { CodedError } from '../../../../core/runtime/errors.ts';
import { field, isRecord, type PlainRecord, textField } from '../../extract/values.ts';
import { type ApiClient, nameOf } from './api-client.ts';
import { refusedWatch } from './api-error.ts';
import { jsonLines } from './json-lines.ts';
import { apiVersionOf, type Listing } from './resource.ts';

/** `known` tells only that everything up to a version has been told. */
export type WatchEvent =
  | { readonly kind: 'set' | 'gone'; readonly object: PlainRecord; readonly resourceVersion: string }
  | { readonly kind: 'known'; readonly resourceVersion: string };

export interface WatchOptions {
  readonly resourceVersion: string;
  /** When the server is to end it, milliseconds. */
  readonly lifeMs: number;
  readonly signal: AbortSignal;
}

/** Past its life a watch is on a connection that nobody ends. */
const GRACE_MS = 30_000;
const KINDS: ReadonlyMap<string | undefined, 'set' | 'gone'> = new Map([
  ['ADDED', 'set'],
  ['MODIFIED', 'set'],
  ['DELETED', 'gone'],
]);

/**
 * Its events, in order; it ends when the server has had enough.
 * @throws ApiError (410: the version is too old, list again); CodedError as `ApiClient.stream` and `jsonLines`
 */
export async function* watchObjects(
  client: ApiClient,
  listing: Listing,
  { resourceVersion, lifeMs, signal }: WatchOptions,
): AsyncGenerator<WatchEvent> {
  const deadline = AbortSignal.timeout(lifeMs + GRACE_MS);
  const query = {
    ...listing.query,
    ...{ watch: 'true', allowWatchBookmarks: 'true', resourceVersion },
    timeoutSeconds: String(Math.ceil(lifeMs / 1000)),
  };
  // Bookmarks come about once a minute, but nobody promises them.
  const call = { path: listing.path, query, idleMs: lifeMs + GRACE_MS };
  const answer = await client.stream(call, { signal: AbortSignal.any([signal, deadline]) });
  try {
    for await (const line of jsonLines(answer.body)) yield eventOf(line, listing);
  } finally {
    answer.destroy();
  }
}

function eventOf(line: unknown, { resource, path }: Listing): WatchEvent {
  const [type, object] = [textField(line, 'type'), field(line, 'object')];
  if (type === 'ERROR') throw refusedWatch(`Watch of "${path}"`, object);
  const resourceVersion = textField(object, 'metadata', 'resourceVersion');
  const kind = KINDS.get(type);
  if (resourceVersion === undefined || !isRecord(object) || (kind === undefined && type !== 'BOOKMARK')) {
    throw new CodedError('DATA_LOSS', `Watch: ${nameOf({ path })} was answered with an event that cannot be read`);
  }
  if (kind === undefined) return { kind: 'known', resourceVersion };
  const named = { apiVersion: apiVersionOf(resource), kind: resource.kind };
  return { kind, object: { ...named, ...object }, resourceVersion };
}
