/** Manifests kept in the store; each that passes teaches where its blobs can be had, and has the sources asked ahead of time. */
import type { Descriptor } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import { parseManifest } from '../../core/oci/manifest.ts';
import type { Source } from '../../core/oci/source.ts';
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

export function createKeptManifests(deps: KeptManifestsDeps): KeptManifests {
  return {
    read: async (digest, source) => {
      const found = described(digest, await readKept(deps.store, digest));
      if (found !== undefined) learn(deps, found, source);
      return found;
    },
    keep: async (found, source, options) => {
      learn(deps, found, source);
      await keepProven(deps, found, options);
    },
  };
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
