/** Pins and what they hold, as the admin edge shows them. From memory. */
import type { Digest } from '../core/oci/digest.ts';
import type { BlobRow, PinRow } from './admin/admin.ts';
import type { BlobReader, PinStore } from './store/blob-store.ts';

export type PinnedStore = Pick<BlobReader, 'stat' | 'list'> & Pick<PinStore, 'pins'>;

export function* pinRows(store: PinnedStore): Generator<PinRow> {
  for (const pin of store.pins()) {
    const bytes = pin.digests.reduce((sum, digest) => sum + (store.stat(digest)?.size ?? 0), 0);
    yield { ...pin, bytes };
  }
}

/** Every blob; pinned ones with the latest end of their pins. */
export function* blobRows(store: PinnedStore): Generator<BlobRow> {
  const ends = new Map<Digest, number>();
  for (const { digests, untilMs } of store.pins()) {
    for (const digest of digests) ends.set(digest, Math.max(untilMs, ends.get(digest) ?? 0));
  }
  for (const blob of store.list()) {
    const pinnedUntilMs = ends.get(blob.digest);
    yield { ...blob, ...(pinnedUntilMs !== undefined && { pinnedUntilMs }) };
  }
}
