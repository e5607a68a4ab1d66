/** Images as a run of the warmer needs them: each reference resolved once, to the blobs that nodes will ask for. */
import type { Descriptor, Platform } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import type { Source } from '../../core/oci/source.ts';
import type { PullToken } from '../../core/registry/registry-client.ts';
import type { ErrorCode } from '../../core/runtime/errors.ts';
import type { ImageUse } from '../sources/workload.ts';

/** Whose pods pull an image: what secrets they may use. */
export interface PullIdentity {
  readonly namespace: string | undefined;
  readonly imagePullSecrets: readonly string[];
  readonly serviceAccountName: string;
}

export interface WantedImage {
  /** In full: `docker.io/library/nginx:1.27`. */
  readonly reference: string;
  /** Of the nodes that it may land on; empty = every platform that the image has. */
  readonly platforms: readonly Platform[];
  /** Where it is named: told with every failure. */
  readonly uses: readonly ImageUse[];
  readonly identities: readonly PullIdentity[];
}

/** The blobs of an image for one platform. */
export interface ImageVariant {
  /** undefined: an artifact, or an image that does not say. */
  readonly platform: Platform | undefined;
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  /** Without those that no registry has to hold. */
  readonly layers: readonly Descriptor[];
  /** Layers that only their maker's own address may have ("foreign"). */
  readonly foreignLayers: readonly Descriptor[];
}

export interface ResolvedImage {
  readonly reference: string;
  /** What the reference points to now: an index, or a manifest. All nodes get this one. */
  readonly digest: Digest;
  readonly source: Source;
  /** The index, and indexes within it, that lead to the variants; none for an image without. */
  readonly indexes: readonly Descriptor[];
  /** At least one; those of the wanted platforms, each manifest once. */
  readonly variants: readonly ImageVariant[];
  /** Wanted platforms that the image does not have. */
  readonly missingPlatforms: readonly Platform[];
  /** No runnable image: a model, a chart, any other OCI artifact. */
  readonly isArtifact: boolean;
}

export interface FailedImage {
  readonly reference: string;
  readonly uses: readonly ImageUse[];
  readonly code: ErrorCode;
  readonly reason: string;
  /** True when a later run may succeed without anybody changing anything. */
  readonly isRetriable: boolean;
}

export interface ImagesFound {
  readonly images: readonly ResolvedImage[];
  readonly failed: readonly FailedImage[];
}

export interface ImageResolver {
  /** Each wanted image once, whatever happens to the others. Only an aborted signal's reason is thrown. */
  resolve(wanted: readonly WantedImage[], options: { signal: AbortSignal }): Promise<ImagesFound>;
  /**
   * A token that pulls this image's repository and no more; undefined where there are no tokens, and for what anybody may pull.
   * @throws as RegistryClient
   */
  pullToken(image: ResolvedImage, options: { signal: AbortSignal }): Promise<PullToken | undefined>;
  /** The bytes of a manifest or index that was read in this or an earlier run; undefined when they are not kept. */
  manifestBytes(digest: Digest): Buffer | undefined;
}

/** Manifests and configs that outlive the process. Neither method throws; what is not kept is fetched again. */
export interface ManifestShelf {
  /** Proven against the digest. */
  get(digest: Digest): Promise<Buffer | undefined>;
  keep(digest: Digest, bytes: Buffer): Promise<void>;
}

/** Every blob of an image, each once: indexes, manifests, configs, layers. */
export function blobsOf({ indexes, variants }: ResolvedImage): Descriptor[] {
  const all = [...indexes, ...variants.flatMap(({ manifest, config, layers }) => [manifest, config, ...layers])];
  return [...new Map(all.map((blob) => [blob.digest, blob])).values()];
}
