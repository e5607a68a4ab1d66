/**
 * Claims: what containerd was told to be here although it is not yet. One small file each (`shoal/claims/<hex>`), written
 * before `Info` says yes, so that a killed daemon still knows its word.
 */
import type { Digest } from '../../core/oci/digest.ts';
import type { Source } from '../../core/oci/source.ts';

export interface Claim {
  readonly digest: Digest;
  /** Bytes, from a proven manifest. */
  readonly size: number;
  /** Where it can be had, best first; at most `CLAIM_SOURCES_MAX`. */
  readonly sources: readonly Source[];
  /** Milliseconds since the epoch. */
  readonly claimedAtMs: number;
}

/** More sources than this help nobody, and a claim's file stays within one disk block. */
export const CLAIM_SOURCES_MAX = 8;

export interface ClaimStore {
  claim(digest: Digest): Claim | undefined;
  claims(): Iterable<Claim>;
  /**
   * Writes the claim's file before it returns (atomically: a kill leaves the whole claim or none). Not synced:
   * what a power cut takes is found again by comparing with containerd's own lists.
   */
  putClaim(claim: Claim): void;
  /** Absent claims are no error. */
  removeClaim(digest: Digest): void;
}
