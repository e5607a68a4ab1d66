/** What a seed may fill on this disk: free bytes, and those that the cache would give up. */
import type { Digest } from '../../../core/oci/digest.ts';
import type { BlobReader } from '../../store/blob-store.ts';
import type { NodeSeedingDeps } from './node-deps.ts';

const NONE: ReadonlySet<Digest> = new Set();

/** `wanted`: blobs that are to stay, so the cache does not give those up. */
export function roomBytes(
  { store, disk }: { store: Pick<BlobReader, 'list'>; disk: NodeSeedingDeps['disk'] },
  wanted: ReadonlySet<Digest> = NONE,
): number {
  let bytes = disk.freeBytes() - disk.minFreeBytes;
  for (const { digest, size, holds } of store.list('cache')) {
    if (holds.size === 1 && !wanted.has(digest)) bytes += size;
  }
  return Math.max(0, bytes);
}
