/**
 * The objects of a cluster, listed when they are asked for, page by page, so that nothing of it is held here: workloads, what
 * scales them, nodes, and the pull secrets that the pods name.
 */
import { isCode, messageOf } from '../../../core/runtime/errors.ts';
import { textField } from '../extract/values.ts';
import type { Source, SourceItem } from '../source.ts';
import { clipped, type Unresolved } from '../unresolved.ts';
import type { ApiClient } from './api/api-client.ts';
import { discover } from './api/discovery.ts';
import { listObjects } from './api/list-objects.ts';
import { type Listing, type ListingScope, listingsOf, resourceName } from './api/resource.ts';
import { type Keep, type KeepOptions, keeperOf } from './keeper.ts';
import { excludedKinds, wantedKinds } from './listed-kinds.ts';
import { LiveDocuments } from './live-documents.ts';
import { pullSecretDocuments } from './secrets/pull-secret-documents.ts';

/** `kinds` may be more than the tables have. */
export interface KubernetesOptions extends ListingScope, KeepOptions {}

export function createKubernetesSource(client: ApiClient, options: KubernetesOptions): Source {
  return { read: (call) => readCluster(client, options, call) };
}

async function* readCluster(
  client: ApiClient,
  options: KubernetesOptions,
  { signal }: { signal: AbortSignal },
): AsyncGenerator<SourceItem> {
  yield* excludedItems(client.name, options.kinds);
  let found: Awaited<ReturnType<typeof discover>>;
  try {
    found = await discover(client, wantedKinds(options.kinds), { signal });
  } catch (error) {
    signal.throwIfAborted();
    return yield unreadCluster(client.name, error);
  }
  yield* found.unresolved.map((unresolved) => ({ kind: 'unresolved' as const, unresolved }));
  const documents = new LiveDocuments(client.name);
  for (const resource of found.resources) {
    const keep = keeperOf(resource, options);
    for (const listing of listingsOf(resource, options))
      yield* readListing(client, listing, { documents, keep, signal });
  }
  yield* pullSecretDocuments(client, documents.names, { signal });
}

/** One list as documents; what goes wrong costs the rest of this list. */
export async function* readListing(
  client: ApiClient,
  listing: Listing,
  { documents, keep, signal }: { documents: LiveDocuments; keep: Keep; signal: AbortSignal },
): AsyncGenerator<SourceItem> {
  // A list that begins anew gives some objects twice.
  const seen = new Set<string>();
  try {
    for await (const { objects } of listObjects(client, listing, { signal })) {
      for (const object of objects) {
        const key = `${textField(object, 'metadata', 'namespace') ?? ''}/${textField(object, 'metadata', 'name') ?? ''}`;
        if (seen.has(key)) continue;
        seen.add(key);
        const kept = keep(object);
        const document = kept === undefined ? undefined : documents.documentOf(kept, listing.resource);
        if (document !== undefined) yield { kind: 'document', document };
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    yield { kind: 'unresolved', unresolved: unreadListing(client.name, listing, error) };
  }
}

/** Kinds of the user that are not asked for. */
export function* excludedItems(cluster: string, kinds: readonly string[]): Generator<SourceItem> {
  for (const kind of excludedKinds(kinds)) {
    const reason = 'Objects of this kind are not read from a cluster';
    yield { kind: 'unresolved', unresolved: { file: cluster, line: 1, value: clipped(kind), reason } };
  }
}

export function unreadCluster(cluster: string, error: unknown): SourceItem {
  const reason = `The cluster is not read: ${clipped(messageOf(error))}`;
  return { kind: 'unresolved', unresolved: { file: cluster, line: 1, value: cluster, reason } };
}

export function unreadListing(cluster: string, { resource, path }: Listing, error: unknown): Unresolved {
  const what = isCode(error, 'PERMISSION_DENIED') ? 'Not permitted to list' : 'Not listed';
  return {
    file: `${cluster}:${path}`,
    line: 1,
    value: resourceName(resource),
    reason: `${what}: ${clipped(messageOf(error))}`,
  };
}
