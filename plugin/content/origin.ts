/**
 * Origin registries as an edge asks them for its callers: what a name points to now, whether a blob is there, lists. The
 * answer is the registry's own of this moment, never a remembered one.
 */
import type { Descriptor } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import type { Source } from '../../core/oci/source.ts';
import type { ProvenManifest } from './manifests.ts';

/** What a caller showed of its own rights. Lives in memory only, and goes to the registry that it was shown for alone. */
export type CallerCredential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'anonymous' };

export interface OriginCall {
  readonly signal: AbortSignal;
  /** Asks with these rights and no others; absent = with this node's own. */
  readonly as?: CallerCredential;
}

/** A list goes on with the registry's own query, given back to it as it is. */
export interface OriginTags {
  readonly tags: readonly string[];
  readonly next?: string;
}

export interface OriginReferrers {
  /** An index, as the registry wrote it. */
  readonly bytes: Uint8Array;
  readonly isFiltered: boolean;
  readonly next?: string;
}

/**
 * Errors of every method: CodedError NOT_FOUND, UNAUTHENTICATED, PERMISSION_DENIED, RESOURCE_EXHAUSTED (asked too
 * often), UNAVAILABLE (no answer in time), DATA_LOSS, INVALID_ARGUMENT, CANCELLED.
 */
export interface Origin {
  /** What a tag or digest points to now. Calls for the same, with the same rights, at the same time are one request. */
  resolve(source: Source, reference: string, call: OriginCall): Promise<Descriptor>;
  /** A manifest of a repository, proven against its digest. */
  manifest(source: Source, digest: Digest, call: OriginCall): Promise<ProvenManifest>;
  /** Bytes of a blob. Calls for the same, with the same rights, at the same time are one request. */
  blobSize(source: Source, digest: Digest, call: OriginCall): Promise<number>;
  tags(source: Source, query: string, call: OriginCall): Promise<OriginTags>;
  /** @throws CodedError NOT_FOUND also where the registry has no such list */
  referrers(source: Source, subject: { digest: Digest; query: string }, call: OriginCall): Promise<OriginReferrers>;
  /** A download of this one blob from this one repository may use a caller's rights, for some minutes. */
  lend(source: Source, digest: Digest, credential: CallerCredential): void;
}
