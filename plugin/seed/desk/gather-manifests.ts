/** Manifests' bytes for an order, got once for all its nodes: given with the request, from this disk, or from the registry. */
import { MAX_MANIFEST_BYTES } from '../../../core/oci/manifest.ts';
import { digestOf } from '../../../core/oci/digest.ts';
import type { BlobReader } from '../../store/blob-store.ts';
import { BLOBS_MAX, MANIFEST_BYTES_MAX } from '../limits.ts';
import { type ManifestAskers, askForManifest } from '../node/bring-blob.ts';
import type { SeedImage, SeedManifest } from '../seed.ts';

export type ManifestSources = ManifestAskers & {
  readonly store: Pick<BlobReader, 'stat' | 'open'>;
};

/** Those that cannot be had stay without: each node then asks by itself, and says what went wrong. @throws the signal's reason */
export async function gatherManifests(
  sources: ManifestSources,
  images: readonly SeedImage[],
  signal: AbortSignal,
): Promise<SeedImage[]> {
  let room = MANIFEST_BYTES_MAX;
  const gathered: SeedImage[] = [];
  for (const image of images) {
    const manifests: SeedManifest[] = [];
    for (const manifest of image.manifests.slice(0, BLOBS_MAX)) {
      const { bytes: given, ...descriptor } = manifest;
      const bytes = room < manifest.size ? undefined : (given ?? (await found(sources, image, manifest, signal)));
      room -= bytes?.length ?? 0;
      manifests.push({ ...descriptor, ...(bytes && { bytes }) });
    }
    gathered.push({ ...image, manifests });
  }
  return gathered;
}

async function found(
  sources: ManifestSources,
  image: SeedImage,
  manifest: SeedManifest,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  signal.throwIfAborted();
  try {
    const bytes =
      (await readHere(sources, manifest)) ?? (await askForManifest(sources, { blob: manifest, image }, signal));
    return digestOf(bytes) === manifest.digest ? bytes : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

async function readHere({ store }: ManifestSources, { digest }: SeedManifest): Promise<Uint8Array | undefined> {
  const stat = store.stat(digest);
  if (stat === undefined || stat.size > MAX_MANIFEST_BYTES) return undefined;
  const open = await store.open(digest);
  try {
    const bytes = Buffer.alloc(stat.size);
    await open.read(bytes, 0);
    return bytes;
  } finally {
    await open.close();
  }
}
