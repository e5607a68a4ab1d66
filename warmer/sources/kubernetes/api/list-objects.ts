/** A list in pages, so that no list is held whole (kubernetes "API concepts", retrieving large results sets in chunks). */
import { CodedError } from '../../../../core/runtime/errors.ts';
import { field, isRecord, listField, type PlainRecord, textField } from '../../extract/values.ts';
import { type ApiClient, nameOf } from './api-client.ts';
import { ApiError } from './api-error.ts';
import { apiVersionOf, type Listing } from './resource.ts';

/** Objects asked for at once: of usual pods half a megabyte, several times over in memory while it is parsed. */
const PAGE_OBJECTS = 50;
/** A page in memory, several times over while it is parsed. Larger ones are asked for again with fewer objects. */
const PAGE_BYTES_MAX = 16 * 1024 * 1024;
/** Objects of one list; beyond it nobody can plan. */
const OBJECTS_MAX = 200_000;
/** A token for the next page lasts five minutes; whoever needs longer so often will need longer again. */
const RESTARTS_MAX = 3;

export interface ObjectPage {
  /** Typed, each with its `apiVersion` and `kind`. */
  readonly objects: readonly PlainRecord[];
  /** The list began anew: what came before may come again. */
  readonly isFirst: boolean;
  /** From where to watch, once the last page is there. */
  readonly resourceVersion: string;
}

/**
 * The pages of a list. An expired token (410) begins it anew.
 * @throws ApiError; CodedError as `ApiClient.json`, RESOURCE_EXHAUSTED for more objects than anybody can plan for
 */
export async function* listObjects(
  client: ApiClient,
  listing: Listing,
  { signal }: { signal: AbortSignal },
): AsyncGenerator<ObjectPage> {
  for (let restarts = 0; ; restarts += 1) {
    try {
      return yield* pagesOf(client, listing, signal);
    } catch (error) {
      const isExpired = error instanceof ApiError && error.refusal.status === 410;
      if (!isExpired || restarts >= RESTARTS_MAX) throw error;
    }
  }
}

async function* pagesOf(client: ApiClient, listing: Listing, signal: AbortSignal): AsyncGenerator<ObjectPage> {
  let next: string | undefined;
  let [limit, total] = [PAGE_OBJECTS, 0];
  do {
    const page = await fitting(client, listing, { next, limit, signal });
    limit = page.limit;
    const objects = objectsOf(page.value, listing);
    total += objects.length;
    if (total > OBJECTS_MAX)
      throw new CodedError('RESOURCE_EXHAUSTED', `"${listing.path}" has more than ${OBJECTS_MAX} objects`);
    const isFirst = next === undefined;
    next = textField(page.value, 'metadata', 'continue');
    yield { objects, isFirst, resourceVersion: textField(page.value, 'metadata', 'resourceVersion') ?? '' };
  } while (next !== undefined);
}

interface PageCall {
  readonly next: string | undefined;
  readonly limit: number;
  readonly signal: AbortSignal;
}

/** Objects may be 500 times as large as usual ones: then fewer of them are asked for. */
async function fitting(
  client: ApiClient,
  listing: Listing,
  { next, limit, signal }: PageCall,
): Promise<{ value: unknown; limit: number }> {
  const { path, query } = listing;
  const call = { path, query: { ...query, limit: String(limit), continue: next }, bytesMax: PAGE_BYTES_MAX };
  try {
    return { value: await client.json(call, { signal }), limit };
  } catch (error) {
    const isTooLarge =
      error instanceof CodedError && !(error instanceof ApiError) && error.code === 'RESOURCE_EXHAUSTED';
    if (!isTooLarge || limit === 1) throw error;
    return await fitting(client, listing, { next, limit: Math.ceil(limit / 4), signal });
  }
}

/** Items do not repeat what they are. */
function objectsOf(list: unknown, { resource, path }: Listing): PlainRecord[] {
  if (!isRecord(field(list, 'metadata')) || textField(list, 'kind')?.endsWith('List') !== true) {
    throw new CodedError('DATA_LOSS', `${nameOf({ path })} was not answered with a list`);
  }
  const named = { apiVersion: apiVersionOf(resource), kind: resource.kind };
  return listField(list, 'items').flatMap((item) => (isRecord(item) ? [{ ...named, ...item }] : []));
}
