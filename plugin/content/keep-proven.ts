/** Small blobs that are held in memory whole, manifests and configs: read from this disk, and kept on it. */
import type { Digest } from '../../core/oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../../core/oci/manifest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { isCode } from '../../core/runtime/errors.ts';
import { retry } from '../../core/runtime/retry.ts';
import type { BlobHolder, BlobReader } from '../store/blob-store.ts';
import type { PartialStore } from '../store/partial-store.ts';
import type { ProvenManifest } from './manifests.ts';

/** Another one that stores the same manifest is done with it in milliseconds. */
const KEEP_RETRY = { attemptsMax: 20, pauseMs: 50 };

/** The bytes of a blob that is here and no larger than a manifest, with the cache's hold from now on; else undefined. */
export async function readKept(store: BlobReader & BlobHolder, digest: Digest): Promise<Buffer | undefined> {
  const stat = store.stat(digest);
  if (stat === undefined || stat.size > MAX_MANIFEST_BYTES) return undefined;
  await store.hold(stat.digest, 'cache');
  store.touch(stat.digest);
  const open = await store.open(stat.digest);
  try {
    const bytes = Buffer.alloc(stat.size);
    await open.read(bytes, 0);
    return bytes;
  } finally {
    await open.close();
  }
}

/** Stores proven bytes with the cache's hold, or finds that somebody else did. @throws what the disk throws */
export async function keepProven(
  { store, clock }: { store: BlobHolder & PartialStore; clock: Clock },
  found: ProvenManifest,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const { digest } = found.descriptor;
  const waitMs = (error: unknown) => (isCode(error, 'UNAVAILABLE') ? KEEP_RETRY.pauseMs : undefined);
  try {
    const { attemptsMax } = KEEP_RETRY;
    const open = () => store.openPartial(digest, found.bytes.length);
    const partial = await retry(open, { attemptsMax, clock, signal, waitMs });
    try {
      await partial.write(0, found.bytes);
      await partial.commit(new Set(['cache']));
    } finally {
      await partial.discard();
    }
  } catch (error) {
    if (!isCode(error, 'ALREADY_EXISTS')) throw error;
    await store.hold(digest, 'cache');
  }
}
