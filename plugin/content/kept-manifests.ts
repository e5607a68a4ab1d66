/** Manifests on this disk, for edges that serve them: read, kept, and what they name learned as they pass. */
import type { Digest } from '../../core/oci/digest.ts';
import type { Source } from '../../core/oci/source.ts';
import type { ProvenManifest } from './manifests.ts';

export interface KeptManifests {
  /**
   * A manifest that is here, as one of `source`'s; undefined when it is not here or is none. Its media type is its own
   * word, or what it looks like.
   */
  read(digest: Digest, source: Source): Promise<ProvenManifest | undefined>;
  /** Keeps a manifest that `source` gave in the cache. @throws CodedError RESOURCE_EXHAUSTED on a full disk, and what the disk throws */
  keep(found: ProvenManifest, source: Source, options: { signal: AbortSignal }): Promise<void>;
}
