/** Resolving images at their registries: a HEAD for each reference, and each manifest once for the whole fleet. */
import { buffer } from 'node:stream/consumers';
import type { Descriptor, Platform } from '../../core/oci/descriptor.ts';
import { type Digest, digestOf } from '../../core/oci/digest.ts';
import { type Manifest, parseConfigPlatform, parseManifest } from '../../core/oci/manifest.ts';
import { parseReference, type Reference } from '../../core/oci/reference.ts';
import { BoundedMap } from '../../core/runtime/bounded-map.ts';
import type { PullToken, RegistryClient, RegistryEndpoint, Repository } from '../../core/registry/registry-client.ts';
import type { CredentialSource } from '../../core/registry/credentials.ts';
import { CodedError, codeOf, isCode, messageOf } from '../../core/runtime/errors.ts';
import type { FailedImage, ImageResolver, ImagesFound, ManifestShelf, ResolvedImage, WantedImage } from './images.ts';
import { KeptBytes } from './kept-bytes.ts';
import { type ManifestReader, readTree } from './manifest-tree.ts';
import type { PullSecrets } from './pull-secrets.ts';
import { endpointOf } from './registry-endpoint.ts';
import { RegistryLane } from './registry-lane.ts';
import type { RegistryReserve } from './registry-reserve.ts';

/** Manifests remembered from run to run, so that an unchanged digest costs a HEAD only. */
const MANIFESTS_MAX = 8_192;
const CONCURRENCY = 8;
/** Configs are some kilobytes; a larger one keeps its platform to itself. */
const CONFIG_BYTES_MAX = 4 * 1024 * 1024;
const RETRIABLE = ['UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'INTERNAL'] as const;

export interface ImageResolverDeps {
  /** With the operator's own credentials. Its observer must tell `reserve` of limits. */
  readonly client: RegistryClient;
  readonly secrets: Pick<PullSecrets, 'credentialsFor'>;
  readonly reserve: RegistryReserve;
  /** The operator's own, as `client` has them: only what was pulled with a credential is private. */
  readonly credentials?: CredentialSource;
  /** What earlier processes fetched. */
  readonly shelf?: ManifestShelf | undefined;
}

export interface ImageResolverOptions {
  readonly endpoints?: readonly RegistryEndpoint[];
  /** Registries that may be asked; empty = any. */
  readonly allow?: readonly string[];
  /** Images at once of one registry. */
  readonly concurrency?: number;
}

export function createImageResolver(deps: ImageResolverDeps, options: ImageResolverOptions = {}): ImageResolver {
  return new RegistryImageResolver(deps, options);
}

interface Job {
  readonly wanted: WantedImage;
  readonly parsed: Reference;
}

class RegistryImageResolver implements ImageResolver {
  readonly #deps: ImageResolverDeps;
  readonly #options: ImageResolverOptions;
  readonly #manifests = new BoundedMap<Digest, Manifest>({ entriesMax: MANIFESTS_MAX });
  readonly #bytes = new KeptBytes();
  readonly #platforms = new BoundedMap<Digest, Platform>({ entriesMax: MANIFESTS_MAX });
  /** How an image was reached; credentials stay out of the image itself. */
  readonly #access = new WeakMap<ResolvedImage, Repository>();

  constructor(deps: ImageResolverDeps, options: ImageResolverOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async resolve(wanted: readonly WantedImage[], { signal }: { signal: AbortSignal }): Promise<ImagesFound> {
    const images: ResolvedImage[] = [];
    const failed: FailedImage[] = [];
    const lanes = [...lanesOf(wanted, failed)].map(([domain, jobs]) => {
      const lane = new RegistryLane(domain);
      return lane.run(jobs, this.#options.concurrency ?? CONCURRENCY, async (job) => {
        try {
          images.push(await this.#resolveOne(job, lane, signal));
          lane.answered();
        } catch (error) {
          signal.throwIfAborted();
          lane.failed(error);
          failed.push(failureOf(job.wanted, error));
        }
      });
    });
    await Promise.all(lanes);
    signal.throwIfAborted();
    return { images, failed };
  }

  async pullToken(image: ResolvedImage, { signal }: { signal: AbortSignal }): Promise<PullToken | undefined> {
    const repository = this.#access.get(image);
    if (repository === undefined) throw new CodedError('NOT_FOUND', `Image "${image.reference}" was not resolved here`);
    return (await this.#isPrivate(repository, signal))
      ? this.#deps.client.pullToken(repository, { signal })
      : undefined;
  }

  manifestBytes(digest: Digest): Buffer | undefined {
    return this.#bytes.get(digest);
  }

  async #isPrivate({ credential, registry }: Repository, signal: AbortSignal): Promise<boolean> {
    if (credential !== undefined || registry.credential !== undefined) return true;
    const own = await this.#deps.credentials?.get(registry.host, { signal }).catch(() => undefined);
    return own !== undefined && own.kind !== 'anonymous';
  }

  async #resolveOne({ wanted, parsed }: Job, lane: RegistryLane, signal: AbortSignal): Promise<ResolvedImage> {
    signal.throwIfAborted();
    lane.check();
    const { repository, descriptor } = await this.#reach({ wanted, parsed }, signal);
    const reader = this.#reader(repository, signal);
    const tree = await readTree(reader, descriptor, wanted.platforms);
    const source = { registry: parsed.domain, repository: parsed.path };
    const image: ResolvedImage = { reference: wanted.reference, digest: descriptor.digest, source, ...tree };
    this.#access.set(image, repository);
    return image;
  }

  /** The first credential that the registry takes: the pods' own, then the operator's or none. */
  async #reach(
    { wanted, parsed }: Job,
    signal: AbortSignal,
  ): Promise<{ repository: Repository; descriptor: Descriptor }> {
    const { allow = [], endpoints = [] } = this.#options;
    const registry = endpointOf(parsed.domain, endpoints);
    if (allow.length > 0 && !allow.includes(registry.host)) {
      throw new CodedError('PERMISSION_DENIED', `Registry "${registry.host}" is not among those that may be asked`);
    }
    const secrets = this.#deps.secrets.credentialsFor(wanted.identities, parsed);
    const repositories: Repository[] = [
      ...secrets.map((credential) => ({ registry, name: parsed.path, credential })),
      { registry, name: parsed.path },
    ];
    const name = parsed.digest ?? parsed.tag ?? 'latest';
    let refusal: unknown;
    for (const repository of repositories) {
      try {
        return { repository, descriptor: await this.#deps.client.resolve(repository, name, { signal }) };
      } catch (error) {
        // Some registries deny that a repository exists to those who may not see it.
        if (!isCode(error, 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'NOT_FOUND')) throw error;
        refusal ??= error;
      }
    }
    throw refusal;
  }

  #reader(repository: Repository, signal: AbortSignal): ManifestReader {
    return {
      manifest: (descriptor) => this.#manifest(repository, descriptor, signal),
      configPlatform: (config) => this.#configPlatform(repository, config, signal),
    };
  }

  async #manifest(repository: Repository, descriptor: Descriptor, signal: AbortSignal): Promise<Manifest> {
    const known = this.#manifests.get(descriptor.digest);
    if (known !== undefined) return known;
    const bytes = await this.#kept(descriptor.digest, async () => {
      this.#deps.reserve.take(repository.registry.host);
      return (await this.#deps.client.manifest(repository, descriptor.digest, { signal, descriptor })).bytes;
    });
    const manifest = parseManifest(bytes, descriptor.mediaType);
    this.#bytes.keep(descriptor.digest, bytes);
    this.#manifests.set(descriptor.digest, manifest);
    return manifest;
  }

  /** From the shelf, or fetched and put there. */
  async #kept(digest: Digest, fetch: () => Promise<Buffer>): Promise<Buffer> {
    const { shelf } = this.#deps;
    const kept = await shelf?.get(digest);
    if (kept !== undefined) return kept;
    const bytes = await fetch();
    await shelf?.keep(digest, bytes);
    return bytes;
  }

  async #configPlatform(
    repository: Repository,
    config: Descriptor,
    signal: AbortSignal,
  ): Promise<Platform | undefined> {
    const known = this.#platforms.get(config.digest);
    if (known !== undefined || config.size > CONFIG_BYTES_MAX) return known;
    const bytes = await this.#kept(config.digest, async () => {
      const fetched = await buffer(this.#deps.client.blob(repository, config, { signal }));
      if (digestOf(fetched) === config.digest) return fetched;
      throw new CodedError('DATA_LOSS', `Config "${config.digest}" came with bytes of another digest`);
    });
    const platform = parseConfigPlatform(bytes);
    // Configs of before platforms were written say nothing.
    if (platform.os === '' || platform.architecture === '') return undefined;
    this.#platforms.set(config.digest, platform);
    return platform;
  }
}

/** Images by registry; the same reference once, for everyone who wants it. */
function lanesOf(wanted: readonly WantedImage[], failed: FailedImage[]): Map<string, Job[]> {
  const lanes = new Map<string, Job[]>();
  for (const one of merged(wanted)) {
    try {
      const parsed = parseReference(one.reference);
      const lane = lanes.get(parsed.domain) ?? [];
      lanes.set(parsed.domain, lane);
      lane.push({ wanted: one, parsed });
    } catch (error) {
      failed.push(failureOf(one, error));
    }
  }
  return lanes;
}

function merged(wanted: readonly WantedImage[]): WantedImage[] {
  const byReference = new Map<string, WantedImage>();
  for (const one of wanted) {
    const other = byReference.get(one.reference);
    byReference.set(one.reference, other === undefined ? one : joined(other, one));
  }
  return [...byReference.values()];
}

function joined(a: WantedImage, b: WantedImage): WantedImage {
  const isForAll = a.platforms.length === 0 || b.platforms.length === 0;
  return {
    reference: a.reference,
    platforms: isForAll ? [] : [...a.platforms, ...b.platforms],
    uses: [...a.uses, ...b.uses],
    identities: [...a.identities, ...b.identities],
  };
}

function failureOf({ reference, uses }: WantedImage, error: unknown): FailedImage {
  const code = codeOf(error);
  return { reference, uses, code, reason: messageOf(error), isRetriable: isCode(error, ...RETRIABLE) };
}
