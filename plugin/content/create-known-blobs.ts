/** What manifests taught, in memory: the least recently asked for is forgotten first. */
import type { Descriptor } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import { childrenOf, type Manifest, parseManifest } from '../../core/oci/manifest.ts';
import { isForeignLayer, isIndex } from '../../core/oci/media-types.ts';
import { type Source, sourceKey } from '../../core/oci/source.ts';
import type { BlobRole, KnownBlob, KnownBlobs } from './known-blobs.ts';

/** Blobs remembered unless told otherwise: some 3,000 images of 20 blobs, about 30 MB. */
const KNOWN_MAX = 65_536;
/** Children remembered of one manifest; a manifest of four megabytes must not push everything else out. */
export const CHILDREN_MAX = 4_096;
/** Sources remembered of one blob, the latest first. */
export const SOURCES_MAX = 8;

export interface KnownBlobsOptions {
  /** Blobs remembered; default 65,536. */
  readonly max?: number;
}

interface Entry {
  known?: KnownBlob;
  sources: readonly Source[];
  children?: readonly Descriptor[];
}

export function createKnownBlobs(options: KnownBlobsOptions = {}): KnownBlobs {
  return new RememberedBlobs(options.max ?? KNOWN_MAX);
}

class RememberedBlobs implements KnownBlobs {
  readonly #max: number;
  readonly #entries = new Map<Digest, Entry>();

  constructor(max: number) {
    this.#max = max;
  }

  get(digest: Digest): KnownBlob | undefined {
    return this.#used(digest)?.known;
  }

  sources(digest: Digest): readonly Source[] {
    return this.#used(digest)?.sources ?? [];
  }

  children(digest: Digest): readonly Descriptor[] | undefined {
    return this.#used(digest)?.children;
  }

  learnManifest(digest: Digest, bytes: Uint8Array): readonly Descriptor[] {
    const manifest = tryParse(bytes);
    if (manifest === undefined) return [];
    const children = childrenOf(manifest).slice(0, CHILDREN_MAX);
    const entry = this.#entry(digest);
    entry.known = { size: bytes.length, role: manifest.kind, mediaType: manifest.mediaType };
    entry.children = children;
    for (const [at, child] of children.entries()) this.#learnChild(child, roleOf(manifest, child, at));
    this.#handDown(digest, entry.sources);
    return children;
  }

  learnSource(digest: Digest, source: Source): void {
    this.#handDown(digest, [source], true);
  }

  #learnChild(child: Descriptor, role: BlobRole): void {
    const entry = this.#entry(child.digest);
    // What is a manifest by one word stays one: only layers and configs are claimed before they are here.
    if (isManifestRole(entry.known?.role) && !isManifestRole(role)) return;
    // Nobody keeps foreign layers but those who made them: containerd fetches these from their own addresses.
    if (isForeignLayer(child.mediaType)) return;
    entry.known = { size: child.size, role, mediaType: child.mediaType };
  }

  /** Gives sources to what a blob names, and what that names; to the blob itself as well when they are new to it. */
  #handDown(top: Digest, sources: readonly Source[], isNew = false): void {
    if (sources.length === 0) return;
    const seen = new Set<Digest>([top]);
    const queue: Digest[] = [top];
    for (let digest = queue.shift(); digest !== undefined; digest = queue.shift()) {
      const entry = this.#entry(digest);
      if (isNew || digest !== top) entry.sources = withSources(entry.sources, sources);
      for (const child of entry.children ?? []) {
        if (!seen.has(child.digest)) queue.push(child.digest);
        seen.add(child.digest);
      }
    }
  }

  #used(digest: Digest): Entry | undefined {
    const entry = this.#entries.get(digest);
    if (entry === undefined) return undefined;
    this.#entries.delete(digest);
    this.#entries.set(digest, entry);
    return entry;
  }

  #entry(digest: Digest): Entry {
    const found = this.#used(digest);
    if (found !== undefined) return found;
    const entry: Entry = { sources: [] };
    this.#entries.set(digest, entry);
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined && this.#entries.size > this.#max) this.#entries.delete(oldest);
    return entry;
  }
}

function tryParse(bytes: Uint8Array): Manifest | undefined {
  try {
    return parseManifest(bytes);
  } catch {
    return undefined;
  }
}

/** An index names manifests, whatever it calls them; a manifest its config first, then layers. */
function roleOf(parent: Manifest, child: Descriptor, at: number): BlobRole {
  if (parent.kind === 'index') return isIndex(child.mediaType) ? 'index' : 'manifest';
  return at === 0 ? 'config' : 'layer';
}

function isManifestRole(role: BlobRole | undefined): boolean {
  return role === 'index' || role === 'manifest';
}

function withSources(old: readonly Source[], fresh: readonly Source[]): readonly Source[] {
  const all = new Map<string, Source>();
  for (const source of [...fresh, ...old]) {
    const known = all.get(sourceKey(source));
    if (known === undefined || (known.isGuess && !source.isGuess)) all.set(sourceKey(source), source);
  }
  return [...all.values()].slice(0, SOURCES_MAX);
}
