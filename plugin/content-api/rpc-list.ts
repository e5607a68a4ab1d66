/**
 * List: what containerd believes to have, which is what it holds here plus what it was promised. Its garbage collector
 * deletes from this list, so what only the cache or a pin keeps must not be in it.
 */
import type { FilterRequest, InfoMessage, ListContentResponse } from './content-messages.ts';
import type { ContentServiceDeps } from './content-service.ts';
import { type Filter, matchesAny, parseFilters } from './filter.ts';
import { infoOfBlob, infoOfClaim } from './info-message.ts';

/** Blobs in one message, as containerd's own service sends them. */
export const LIST_BATCH = 100;

type ListDeps = Pick<ContentServiceDeps, 'store' | 'claims'>;

export function createList(deps: ListDeps): (request: FilterRequest) => Iterable<ListContentResponse> {
  return (request) => batches(deps, parseFilters(request.filters));
}

function* batches(deps: ListDeps, filters: readonly Filter[]): Generator<ListContentResponse> {
  let batch: InfoMessage[] = [];
  for (const info of infos(deps)) {
    if (!matchesAny(filters, (path) => infoField(info, path))) continue;
    batch.push(info);
    if (batch.length < LIST_BATCH) continue;
    yield { info: batch };
    batch = [];
  }
  if (batch.length > 0) yield { info: batch };
}

function* infos(deps: ListDeps): Generator<InfoMessage> {
  for (const blob of deps.store.list('containerd')) yield infoOfBlob(blob, deps.store);
  for (const claim of deps.claims.claims()) {
    const isListed = deps.store.stat(claim.digest)?.holds.has('containerd') === true;
    if (!isListed) yield infoOfClaim(claim);
  }
}

/** The fields of a blob that a filter may name (containerd `core/content/adaptor.go`). */
function infoField(info: InfoMessage, path: readonly string[]): string | undefined {
  if (path[0] === 'digest') return info.digest;
  if (path[0] !== 'labels') return undefined;
  const key = path.slice(1).join('.');
  return Object.hasOwn(info.labels, key) ? info.labels[key] : undefined;
}
