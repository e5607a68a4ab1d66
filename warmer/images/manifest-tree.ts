/** From what a reference points to, down to the blobs of the wanted platforms. Knows registries only through `ManifestReader`. */
import type { Descriptor, Platform } from '../../core/oci/descriptor.ts';
import { type ImageManifest, type IndexManifest, isAttestation, type Manifest } from '../../core/oci/manifest.ts';
import { DOCKER_CONFIG, isForeignLayer, OCI_CONFIG } from '../../core/oci/media-types.ts';
import { choosePlatform, formatPlatform, isPlatformFor } from '../../core/oci/platform.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { ImageVariant, ResolvedImage } from './images.ts';

/** Indexes within indexes; nobody needs a second one. */
const INDEX_DEPTH_MAX = 3;
/** An index with more has something else in mind than platforms. */
const VARIANTS_MAX = 64;
/** Platforms named in a message; images have a handful. */
const NAMED_MAX = 12;

export interface ManifestReader {
  /** A manifest, proven against its digest. */
  manifest(descriptor: Descriptor): Promise<Manifest>;
  /** The platform that an image's config says; undefined when it says none. */
  configPlatform(config: Descriptor): Promise<Platform | undefined>;
}

export type ManifestTree = Pick<ResolvedImage, 'indexes' | 'variants' | 'missingPlatforms' | 'isArtifact'>;

/** @throws CodedError NOT_FOUND when the image has none of the wanted platforms; what the reader throws */
export async function readTree(
  reader: ManifestReader,
  root: Descriptor,
  wanted: readonly Platform[],
): Promise<ManifestTree> {
  const top = await reader.manifest(root);
  if (top.kind === 'manifest') return singleImage(reader, { descriptor: root, manifest: top }, wanted);
  const walk = new IndexWalk(reader, wanted);
  await walk.enter(root, top, 1);
  const { variants } = walk;
  const missingPlatforms = wanted.filter((platform) => !walk.found.has(formatPlatform(platform)));
  if (variants.length === 0) throw nothingFor(wanted, walk.offered);
  const isArtifact = variants.every(({ config }) => !isImageConfig(config));
  return { indexes: walk.indexes, variants, missingPlatforms, isArtifact };
}

async function singleImage(
  reader: ManifestReader,
  { descriptor, manifest }: { descriptor: Descriptor; manifest: ImageManifest },
  wanted: readonly Platform[],
): Promise<ManifestTree> {
  const isArtifact = !isImageConfig(manifest.config);
  const platform = isArtifact ? undefined : await reader.configPlatform(manifest.config);
  const missing = platform === undefined ? [] : wanted.filter((one) => !isPlatformFor(platform, one));
  if (platform !== undefined && wanted.length > 0 && missing.length === wanted.length) {
    throw nothingFor(wanted, [platform]);
  }
  return { indexes: [], variants: [variantOf(descriptor, manifest, platform)], missingPlatforms: missing, isArtifact };
}

class IndexWalk {
  readonly indexes: Descriptor[] = [];
  readonly variants: ImageVariant[] = [];
  /** Wanted platforms that something was found for. */
  readonly found = new Set<string>();
  readonly offered: Platform[] = [];
  readonly #reader: ManifestReader;
  readonly #wanted: readonly Platform[];
  readonly #seen = new Set<string>();

  constructor(reader: ManifestReader, wanted: readonly Platform[]) {
    this.#reader = reader;
    this.#wanted = wanted;
  }

  async enter(descriptor: Descriptor, index: IndexManifest, depth: number): Promise<void> {
    if (depth > INDEX_DEPTH_MAX) {
      throw new CodedError('INVALID_ARGUMENT', `The image has indexes deeper than ${INDEX_DEPTH_MAX}`);
    }
    this.indexes.push(descriptor);
    const runnable = index.manifests.filter((entry) => !isAttestation(entry) && entry.platform?.os !== 'unknown');
    this.offered.push(...runnable.flatMap(({ platform }) => platform ?? []));
    for (const { entry, platforms } of this.#chosen(runnable)) await this.#take(entry, platforms, depth);
  }

  /** Entries with the wanted platforms that they are for; all entries when none is wanted in particular. */
  #chosen(runnable: readonly Descriptor[]): { entry: Descriptor; platforms: Platform[] }[] {
    if (this.#wanted.length === 0) return runnable.map((entry) => ({ entry, platforms: [] }));
    const chosen = new Map<string, { entry: Descriptor; platforms: Platform[] }>();
    for (const platform of this.#wanted) {
      const entry = choosePlatform(runnable, platform);
      if (entry === undefined) continue;
      const known = chosen.get(entry.digest);
      if (known === undefined) chosen.set(entry.digest, { entry, platforms: [platform] });
      else known.platforms.push(platform);
    }
    return [...chosen.values()];
  }

  async #take(entry: Descriptor, platforms: readonly Platform[], depth: number): Promise<void> {
    if (this.#seen.has(entry.digest)) return;
    this.#seen.add(entry.digest);
    if (this.variants.length >= VARIANTS_MAX) {
      throw new CodedError('INVALID_ARGUMENT', `The image has more than ${VARIANTS_MAX} manifests`);
    }
    const manifest = await this.#reader.manifest(entry);
    if (manifest.kind === 'index') return this.enter(entry, manifest, depth + 1);
    const isImage = isImageConfig(manifest.config);
    // What an index lists without a platform says in its config what it is for.
    const platform = entry.platform ?? (isImage ? await this.#reader.configPlatform(manifest.config) : undefined);
    const served = platforms.filter((one) => platform === undefined || isPlatformFor(platform, one));
    if (platforms.length > 0 && served.length === 0) return;
    for (const one of served) this.found.add(formatPlatform(one));
    this.variants.push(variantOf(entry, manifest, platform));
  }
}

function variantOf(
  descriptor: Descriptor,
  { config, layers }: ImageManifest,
  platform: Platform | undefined,
): ImageVariant {
  return {
    platform,
    manifest: descriptor,
    config,
    layers: layers.filter(({ mediaType }) => !isForeignLayer(mediaType)),
    foreignLayers: layers.filter(({ mediaType }) => isForeignLayer(mediaType)),
  };
}

function isImageConfig({ mediaType }: Descriptor): boolean {
  return mediaType === OCI_CONFIG || mediaType === DOCKER_CONFIG;
}

function nothingFor(wanted: readonly Platform[], offered: readonly Platform[]): CodedError {
  const names = (platforms: readonly Platform[]) =>
    [...new Set(platforms.map(formatPlatform))].slice(0, NAMED_MAX).join(', ');
  const has = names(offered) === '' ? '' : `; it has ${names(offered)}`;
  const what = wanted.length === 0 ? 'The index lists no manifest' : `The image has nothing for ${names(wanted)}`;
  return new CodedError('NOT_FOUND', `${what}${has}`);
}
