/** What nodes of one platform get of an image. Pure. */
import type { Descriptor, Platform } from '../../core/oci/descriptor.ts';
import { choosePlatform } from '../../core/oci/platform.ts';
import type { ImageVariant, ResolvedImage } from '../images/images.ts';

export interface Portion {
  /** Indexes and the manifest. */
  readonly manifests: readonly Descriptor[];
  /** Config and layers. */
  readonly blobs: readonly Descriptor[];
}

/** undefined when the image has nothing for the platform. Chosen as containerd on such a node chooses. */
export function portionFor(image: ResolvedImage, platform: Platform): Portion | undefined {
  const variant = variantFor(image, platform);
  if (variant === undefined) return undefined;
  const { manifest, config, layers } = variant;
  return { manifests: unique([...image.indexes, manifest]), blobs: unique([config, ...layers]) };
}

function variantFor({ variants }: ResolvedImage, wanted: Platform): ImageVariant | undefined {
  const byManifest = new Map(variants.map((variant) => [variant.manifest.digest, variant]));
  const offered = variants.map(({ manifest, platform }) => {
    const { platform: _said, ...rest } = manifest;
    return platform === undefined ? rest : { ...rest, platform };
  });
  const chosen = choosePlatform(offered, wanted);
  return chosen === undefined ? undefined : byManifest.get(chosen.digest);
}

function unique(blobs: readonly Descriptor[]): Descriptor[] {
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
}
