/** Bringing an image into this node's cache: its index, its manifest for one platform, its config and its layers. */
import type { Descriptor, Platform } from '../../core/oci/descriptor.ts';
import { type Digest, digestOf, parseDigest } from '../../core/oci/digest.ts';
import { isAttestation, parseConfigPlatform, parseManifest } from '../../core/oci/manifest.ts';
import { DOCKER_CONFIG, isForeignLayer, OCI_CONFIG } from '../../core/oci/media-types.ts';
import { choosePlatform, formatPlatform, isPlatformFor } from '../../core/oci/platform.ts';
import { formatReference, type Reference } from '../../core/oci/reference.ts';
import type { Source } from '../../core/oci/source.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { BlobHolder, BlobReader } from '../store/blob-store.ts';
import type { PartialStore } from '../store/partial-store.ts';
import type { ContentFetcher } from './content.ts';
import { keepProven, readKept } from './keep-proven.ts';
import type { KnownBlobs } from './known-blobs.ts';
import type { Manifests, ProvenManifest } from './manifests.ts';
import { fetchAll } from './pull-blobs.ts';

/** `skipped`: a foreign layer, which only its maker's own address has. */
export type PullState = 'waiting' | 'fetching' | 'done' | 'skipped';

/** How far one blob of the image is. */
export interface PullEvent {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly bytesPresent: number;
  readonly state: PullState;
}

export interface ImagePullDeps {
  readonly store: BlobReader & BlobHolder & PartialStore;
  readonly content: ContentFetcher;
  readonly known: KnownBlobs;
  readonly manifests: Manifests;
  readonly clock: Clock;
}

export interface ImagePullOptions {
  readonly platform: Platform;
  /** Blobs at once; default 4. */
  readonly parallel?: number;
  readonly signal: AbortSignal;
}

/** Blobs of one image fetched at once, as many as Docker and containerd do. */
const PARALLEL = 4;
/** Indexes within indexes; nobody needs a second one. */
const INDEX_DEPTH_MAX = 3;

/**
 * Pulls an image with a cache hold on each of its blobs, the index included; attestations are left to those who ask for them.
 * @throws CodedError NOT_FOUND when it has no manifest for the platform; what sources and the disk throw
 */
export async function* pullImage(
  deps: ImagePullDeps,
  reference: Reference,
  options: ImagePullOptions,
): AsyncGenerator<PullEvent, void> {
  const { signal, platform } = options;
  const source = { registry: reference.domain, repository: reference.path };
  const resolved = await deps.manifests.resolve(reference, { signal });
  let descriptor = resolved;
  for (let depth = 0; depth <= INDEX_DEPTH_MAX; depth += 1) {
    const found = await bringManifest(deps, source, descriptor, signal);
    yield eventOf(found.descriptor, 'done');
    const manifest = parseManifest(found.bytes, found.descriptor.mediaType);
    if (manifest.kind === 'manifest') {
      const blobs = [manifest.config, ...manifest.layers];
      for (const foreign of blobs.filter(isForeign)) yield { ...eventOf(foreign, 'skipped'), bytesPresent: 0 };
      let wanted = blobs.filter((blob) => !isForeign(blob));
      // An image that no index describes says in its config what it is for.
      if (descriptor.platform === undefined && isImageConfig(manifest.config)) {
        yield* fetchAll(deps, { source, blobs: [manifest.config], parallel: 1 }, signal);
        await checkPlatform(deps, manifest.config, { reference, platform });
        wanted = wanted.filter((blob) => blob !== manifest.config);
      }
      return yield* fetchAll(deps, { source, blobs: wanted, parallel: options.parallel ?? PARALLEL }, signal);
    }
    const runnable = manifest.manifests.filter((entry) => !isAttestation(entry));
    const chosen = choosePlatform(runnable, platform);
    if (chosen === undefined) throw noSuchPlatform(reference, platform, platformsOf(runnable));
    descriptor = chosen;
  }
  throw new CodedError(
    'INVALID_ARGUMENT',
    `Image "${formatReference(reference)}" has indexes deeper than ${INDEX_DEPTH_MAX}`,
  );
}

/** From this disk, else from its repository; kept either way, and what it names becomes known. */
async function bringManifest(
  deps: ImagePullDeps,
  source: Source,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<ProvenManifest> {
  const digest = parseDigest(descriptor.digest);
  const found = (await kept(deps, descriptor)) ?? (await fetched(deps, source, digest, signal));
  deps.known.learnSource(digest, source);
  deps.known.learnManifest(digest, found.bytes);
  return found;
}

async function kept(deps: ImagePullDeps, descriptor: Descriptor): Promise<ProvenManifest | undefined> {
  const bytes = await readKept(deps.store, descriptor.digest);
  return bytes && { descriptor: { ...descriptor, size: bytes.length }, bytes };
}

async function fetched(
  deps: ImagePullDeps,
  source: Source,
  digest: Digest,
  signal: AbortSignal,
): Promise<ProvenManifest> {
  const found = await deps.manifests.manifest(source, digest, { signal });
  if (digestOf(found.bytes) !== digest) {
    throw new CodedError('DATA_LOSS', `Manifest "${digest}" came with bytes of another digest`);
  }
  await keepProven(deps, found, { signal });
  return found;
}

function eventOf({ digest, mediaType, size }: Descriptor, state: PullState): PullEvent {
  return { digest, mediaType, size, bytesPresent: size, state };
}

function isForeign({ mediaType }: Descriptor): boolean {
  return isForeignLayer(mediaType);
}

function isImageConfig({ mediaType }: Descriptor): boolean {
  return mediaType === OCI_CONFIG || mediaType === DOCKER_CONFIG;
}

/** @throws CodedError NOT_FOUND when the image is for another platform */
async function checkPlatform(
  deps: ImagePullDeps,
  config: Descriptor,
  { reference, platform }: { reference: Reference; platform: Platform },
): Promise<void> {
  const found = await kept(deps, config);
  if (found === undefined) return;
  const offered = parseConfigPlatform(found.bytes);
  // Configs of before platforms were written say nothing.
  if (offered.os === '' || offered.architecture === '' || isPlatformFor(offered, platform)) return;
  throw noSuchPlatform(reference, platform, [offered]);
}

function platformsOf(descriptors: readonly Descriptor[]): Platform[] {
  return descriptors.flatMap(({ platform }) => platform ?? []);
}

/** Platforms named in a message; images have a handful. */
const NAMED_MAX = 12;

function noSuchPlatform(reference: Reference, platform: Platform, offered: readonly Platform[]): CodedError {
  const names = [...new Set(offered.map(formatPlatform))].slice(0, NAMED_MAX).join(', ');
  const image = `Image "${formatReference(reference)}" has nothing for ${formatPlatform(platform)}`;
  return new CodedError('NOT_FOUND', names === '' ? image : `${image}; it has ${names}`);
}
