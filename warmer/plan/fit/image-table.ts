/**
 * The images of a plan by number, the most urgent first, with their blobs by number. Numbers in place of digests keep a plan for
 * thousands of nodes within seconds and megabytes.
 */
import type { Platform } from '../../../core/oci/descriptor.ts';
import type { Digest } from '../../../core/oci/digest.ts';
import { choosePlatform, formatPlatform } from '../../../core/oci/platform.ts';
import type { PlanBlob, PlanImage, PlanVariant } from '../plan-input.ts';

/** What a node of one platform needs of an image. */
export interface Portion {
  readonly variant: PlanVariant;
  /** Numbers of blobs: index, manifest, config, layers. */
  readonly blobs: Int32Array;
}

export class ImageTable {
  readonly images: readonly PlanImage[];
  readonly #numbers = new Map<Digest, number>();
  readonly #sizes: number[] = [];
  /** By platform, then by image. */
  readonly #portions = new Map<string, readonly (Portion | undefined)[]>();
  /** The same by the very object, which is asked for millions of times. */
  readonly #portionsByObject = new WeakMap<Platform, readonly (Portion | undefined)[]>();

  constructor(images: readonly PlanImage[]) {
    this.images = images;
    for (const { indexes, variants } of images) {
      for (const index of indexes) this.#number(index);
      for (const { manifest, config, layers } of variants) {
        for (const blob of [manifest, config, ...layers]) this.#number(blob);
      }
    }
  }

  get blobCount(): number {
    return this.#sizes.length;
  }

  sizeOf(blob: number): number {
    return this.#sizes[blob] ?? 0;
  }

  blobOf(digest: Digest): number | undefined {
    return this.#numbers.get(digest);
  }

  isResolved(image: number): boolean {
    return (this.images[image]?.variants.length ?? 0) > 0;
  }

  /** By number of the image; undefined where a node of this platform cannot run it. */
  portionsFor(platform: Platform): readonly (Portion | undefined)[] {
    const seen = this.#portionsByObject.get(platform);
    if (seen !== undefined) return seen;
    const key = platformKey(platform);
    const portions = this.#portions.get(key) ?? this.images.map((_, image) => this.#choose(image, platform));
    this.#portions.set(key, portions);
    this.#portionsByObject.set(platform, portions);
    return portions;
  }

  #choose(image: number, platform: Platform): Portion | undefined {
    const { indexes = [], variants = [] } = this.images[image] ?? {};
    const variant = chooseVariant(variants, platform);
    if (variant === undefined) return undefined;
    const { manifest, config, layers } = variant;
    const numbers = new Set([...indexes, manifest, config, ...layers].map((blob) => this.#number(blob)));
    return { variant, blobs: Int32Array.from(numbers) };
  }

  #number({ digest, size }: PlanBlob): number {
    const known = this.#numbers.get(digest);
    if (known !== undefined) return known;
    this.#numbers.set(digest, this.#sizes.length);
    return this.#sizes.push(size) - 1;
  }
}

function chooseVariant(variants: readonly PlanVariant[], wanted: Platform): PlanVariant | undefined {
  const descriptors = variants.map(({ platform, manifest }) => ({
    mediaType: '',
    ...manifest,
    ...(platform === undefined ? {} : { platform }),
  }));
  const chosen = choosePlatform(descriptors, wanted);
  return chosen === undefined ? undefined : variants[descriptors.indexOf(chosen)];
}

/** Everything that a choice of platform looks at. */
function platformKey(platform: Platform): string {
  const { osVersion = '', osFeatures = [] } = platform;
  return [formatPlatform(platform), osVersion, ...osFeatures].join(' ');
}
