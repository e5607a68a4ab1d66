/** Where manifests come from that are not on this disk: what a name points to, and the proven bytes of a manifest. */
import type { Descriptor } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import type { Reference } from '../../core/oci/reference.ts';
import type { Source } from '../../core/oci/source.ts';

/** A manifest or index whose bytes hash to its digest. */
export interface ProvenManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

export interface Manifests {
  /**
   * What a reference points to now.
   * @throws CodedError NOT_FOUND, UNAUTHENTICATED, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAVAILABLE
   */
  resolve(reference: Reference, options: { signal: AbortSignal }): Promise<Descriptor>;
  /** A manifest of a repository, proven against its digest. @throws as `resolve`; DATA_LOSS for other bytes than the digest's */
  manifest(source: Source, digest: Digest, options: { signal: AbortSignal }): Promise<ProvenManifest>;
}
