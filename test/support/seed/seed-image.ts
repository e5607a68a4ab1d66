/** A generated image as a seed names it. */
import type { GeneratedImage } from '../../../cli/demo/generated-image.ts';
import type { Descriptor } from '../../../core/oci/descriptor.ts';
import type { SeedImage, SeedRequest } from '../../../proto/shoal/seed/v1/seed-request.ts';

/** `repository` of the registry at `host`, tag `v1`; without the manifests' bytes. */
export function seedImage(image: GeneratedImage, host: string, repository: string): SeedImage {
  const manifests = [...image.manifests].map(([digest, { bytes, mediaType }]) => ({
    digest,
    size: bytes.length,
    media_type: mediaType,
  }));
  const blobs = image.images.flatMap(({ config, layers }) => [config, ...layers]).map(blobOf);
  const source = { registry: host, repository };
  return { ref: `${host}/${repository}:v1`, digest: image.digest, source, manifests, blobs };
}

function blobOf({ digest, size, mediaType }: Descriptor) {
  return { digest, size, media_type: mediaType };
}

/** For `seconds` from now. */
export function seedRequest(
  images: SeedImage[],
  targets: string[],
  options: Partial<SeedRequest> & { pin?: { name: string; until: string }; seconds?: number } = {},
): SeedRequest {
  const { seconds = 3_600, ...rest } = options;
  const until = new Date(Date.now() + seconds * 1_000).toISOString();
  return { pin: { name: 'test', until }, images, targets, ...rest };
}

export function bytesOf({ manifests, blobs }: SeedImage): number {
  return [...manifests, ...blobs].reduce((sum, { size }) => sum + size, 0);
}
