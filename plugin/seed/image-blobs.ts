/** What an image is made of. Pure. */
import type { Descriptor } from '../../core/oci/descriptor.ts';
import type { SeedImage } from './seed.ts';

/** Every blob of an image, each once, the manifests first. */
export function blobsOf(image: Pick<SeedImage, 'manifests' | 'blobs'>): Descriptor[] {
  return [...new Map([...image.manifests, ...image.blobs].map((blob) => [blob.digest, blob])).values()];
}
