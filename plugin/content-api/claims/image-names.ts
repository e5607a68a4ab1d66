/**
 * containerd's image list, as the source of names: which images point to a digest, and under which port a registry is
 * reached (labels leave ports out). Asked seldom, remembered whole.
 */
import { hostNameOf } from '../../../core/oci/host-name.ts';
import type { Digest } from '../../../core/oci/digest.ts';
import { type Source, sourceKey } from '../../../core/oci/source.ts';
import type { Clock } from '../../../core/runtime/clock.ts';
import type { Containerd } from '../../containerd/containerd.ts';
import { sourceInImageName } from './source-names.ts';

/** A list so young is not asked for again: a pull of many images would ask for each. */
const FRESH_MS = 10_000;
/** Images that are remembered, of all namespaces; a node runs some hundreds. */
const IMAGES_MAX = 20_000;
/** Names of one digest, and ports of one host, that are remembered. */
const NAMES_MAX = 16;

export interface ImageNamesDeps {
  containerd: Pick<Containerd, 'namespaces' | 'images'>;
  clock: Clock;
}

export class ImageNames {
  readonly #deps: ImageNamesDeps;
  #byTarget = new Map<Digest, Source[]>();
  #registries = new Map<string, Set<string>>();
  #readAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(deps: ImageNamesDeps) {
    this.#deps = deps;
  }

  /** What images point to. */
  targets(): Iterable<Digest> {
    return this.#byTarget.keys();
  }

  /** Sources that image names give for a digest. */
  sourcesOf(digest: Digest): readonly Source[] {
    return this.#byTarget.get(digest) ?? [];
  }

  /** Guesses: the same repository at every port that this host is known under; without those already as given. */
  withPorts(source: Source): Source[] {
    const registries = [...(this.#registries.get(source.registry) ?? [])];
    const others = registries.filter((registry) => registry !== source.registry);
    return others.map((registry) => ({ registry, repository: source.repository, isGuess: true }));
  }

  /** Asks containerd again unless the list is young; callers at the same time share one round. Errors: the calls'. */
  async refresh(options: { signal: AbortSignal; isForced?: boolean }): Promise<void> {
    const isFresh = this.#deps.clock.monotonicMs() - this.#readAtMs < FRESH_MS;
    if (isFresh && options.isForced !== true) return;
    this.#reading ??= this.#read(options.signal).finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  async #read(signal: AbortSignal): Promise<void> {
    const byTarget = new Map<Digest, Source[]>();
    const registries = new Map<string, Set<string>>();
    for (const namespace of await this.#deps.containerd.namespaces({ signal })) {
      for (const image of await this.#deps.containerd.images(namespace, { signal })) {
        if (byTarget.size >= IMAGES_MAX) break;
        const sources = byTarget.get(image.target.digest) ?? [];
        byTarget.set(image.target.digest, sources);
        const source = sourceInImageName(image.name);
        if (source === undefined) continue;
        addSource(sources, source);
        addRegistry(registries, source.registry);
      }
    }
    this.#byTarget = byTarget;
    this.#registries = registries;
    this.#readAtMs = this.#deps.clock.monotonicMs();
  }
}

function addSource(sources: Source[], source: Source): void {
  const isKnown = sources.some((other) => sourceKey(other) === sourceKey(source));
  if (!isKnown && sources.length < NAMES_MAX) sources.push(source);
}

function addRegistry(registries: Map<string, Set<string>>, registry: string): void {
  const host = hostNameOf(registry);
  const known = registries.get(host) ?? new Set();
  if (known.size < NAMES_MAX) registries.set(host, known.add(registry));
}
