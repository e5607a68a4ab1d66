/** The images that a run pulls: random layers, the same for the same seed, pushed past the shaped link. */
import { arch } from 'node:os';
import type { Digest } from '../../core/oci/digest.ts';
import { hostPlatform } from '../../core/oci/platform.ts';
import { pushImage } from '../support/docker-registry/push.ts';
import { testImage } from '../support/test-image.ts';
import { type FleetRegistry, REGISTRY_HOST } from './fleet-registry.ts';

export interface ImageSettings {
  readonly repository: string;
  readonly tag: string;
  readonly seed: string;
  readonly layers: number;
  readonly layerBytes: number;
}

export interface FleetImage {
  readonly ref: string;
  readonly layers: readonly Digest[];
  /** Manifest, config and layers. */
  readonly digests: readonly Digest[];
  /** Of all of these. */
  readonly bytes: number;
}

/** Two images of one seed share the layers that both have. */
export async function pushFleetImage(registry: FleetRegistry, settings: ImageSettings): Promise<FleetImage> {
  const { repository, tag, seed } = settings;
  const image = await testImage({
    seed,
    layerCount: settings.layers,
    layerSizeBytes: settings.layerBytes,
    platforms: [hostPlatform(arch())],
  });
  const blobs = [...image.blobs.values()];
  const manifests = [...image.manifests.values()];
  await pushImage(registry.target(repository), { blobs, manifests, tag });
  return {
    ref: `${REGISTRY_HOST}/${repository}:${tag}`,
    layers: image.images.flatMap(({ layers }) => layers.map(({ digest }) => digest)),
    digests: [...image.manifests.keys(), ...image.blobs.keys()],
    bytes: [...blobs, ...manifests.map(({ bytes }) => bytes)].reduce((sum, { length }) => sum + length, 0),
  };
}
