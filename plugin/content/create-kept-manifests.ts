/** Manifests kept in the store; each that passes teaches where its blobs can be had, and has the sources asked ahead of time. */
import type { Descriptor } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import { parseManifest } from '../../core/oci/manifest.ts';
import { type Source, sourceKey } from '../../core/oci/source.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { BlobHolder, BlobReader } from '../store/blob-store.ts';
import type { PartialStore } from '../store/partial-store.ts';
import type { ContentFetcher } from './content.ts';
import { keepProven, readKept } from './keep-proven.ts';
import type { KeptManifests } from './kept-manifests.ts';
import type { KnownBlobs } from './known-blobs.ts';
import type { ProvenManifest } from './manifests.ts';

export interface KeptManifestsDeps {
  readonly store: BlobReader & BlobHolder & PartialStore;
  readonly known: KnownBlobs;
  readonly content: Pick<ContentFetcher, 'prepare'>;
  readonly clock: Clock;
}

/** Bytes of manifests that are held in memory: every image of a node, many times over. */
const MEMORY_BYTES_MAX = 8 * 1024 * 1024;
/** Repositories of one manifest of which that is remembered. */
const SOURCES_MAX = 64;
/** What a manifest taught is not taught again so soon, milliseconds. */
const TAUGHT_MS = 10_000;

export function createKeptManifests(deps: KeptManifestsDeps): KeptManifests {
  const recent = new RecentManifests();
  return {
    read: async (digest, source) => {
      // Only what the disk still has: it may have been evicted, or deleted.
      const known = deps.store.stat(digest) === undefined ? undefined : recent.get(digest);
      if (known !== undefined) deps.store.touch(digest);
      const found = known ?? described(digest, await readKept(deps.store, digest));
      if (found === undefined) return undefined;
      recent.add(found);
      if (recent.isDue(digest, source, deps.clock.monotonicMs())) learn(deps, found, source);
      return found;
    },
    keep: async (found, source, options) => {
      learn(deps, found, source);
      await keepProven(deps, found, options);
    },
  };
}

/** The last used manifests, and when each last taught for which repository. */
class RecentManifests {
  /** The longest unused first. */
  readonly #found = new Map<Digest, { manifest: ProvenManifest; taughtAtMs: Map<string, number> }>();
  #bytes = 0;

  get(digest: Digest): ProvenManifest | undefined {
    return this.#found.get(digest)?.manifest;
  }

  add(manifest: ProvenManifest): void {
    const { digest } = manifest.descriptor;
    const entry = this.#found.get(digest);
    if (entry === undefined) this.#bytes += manifest.bytes.length;
    this.#found.delete(digest);
    this.#found.set(digest, entry ?? { manifest, taughtAtMs: new Map() });
    for (const [oldest, { manifest: old }] of this.#found) {
      if (this.#bytes <= MEMORY_BYTES_MAX) return;
      this.#found.delete(oldest);
      this.#bytes -= old.bytes.length;
    }
  }

  /** Whether it is due again; it counts as taught from now on. */
  isDue(digest: Digest, source: Source, nowMs: number): boolean {
    const taughtAtMs = this.#found.get(digest)?.taughtAtMs;
    const key = sourceKey(source);
    if (nowMs - (taughtAtMs?.get(key) ?? Number.NEGATIVE_INFINITY) < TAUGHT_MS) return false;
    if (taughtAtMs !== undefined && taughtAtMs.size >= SOURCES_MAX) taughtAtMs.clear();
    taughtAtMs?.set(key, nowMs);
    return true;
  }
}

/** Undefined for what is no manifest: somebody asked for a layer as one. */
function described(digest: Digest, bytes: Buffer | undefined): ProvenManifest | undefined {
  if (bytes === undefined) return undefined;
  try {
    return { descriptor: { mediaType: parseManifest(bytes).mediaType, digest, size: bytes.length }, bytes };
  } catch {
    return undefined;
  }
}

function learn(deps: KeptManifestsDeps, { descriptor, bytes }: ProvenManifest, source: Source): void {
  const { known, content } = deps;
  known.learnSource(descriptor.digest, source);
  const children = known.learnManifest(descriptor.digest, bytes);
  const wants = children
    .filter((child) => isAbsentBlob(deps, child))
    .map(({ digest, size }) => ({ digest, size, sources: known.sources(digest) }));
  if (wants.length > 0) content.prepare(wants);
}

/** What a claim may be about: a layer or config that is not here. */
function isAbsentBlob({ known, store }: KeptManifestsDeps, { digest }: Descriptor): boolean {
  const role = known.get(digest)?.role;
  return (role === 'layer' || role === 'config') && store.stat(digest) === undefined;
}
