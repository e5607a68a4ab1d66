/**
 * The claim rules' seam: what containerd is told about blobs that are not on this disk yet, and how such a word is kept
 * or taken back. `content-api` asks it; it never waits longer than its bound.
 */
import type { Digest } from '../../core/oci/digest.ts';
import type { Service } from '../../core/runtime/lifecycle.ts';
import type { Claim } from '../store/claim-store.ts';

export interface Claims extends Service {
  /**
   * Decides `Info` for a digest that is not whole here: a claim (its file is written and its flight started), or undefined for
   * NOT_FOUND. Within `CLAIM_BOUND_MS`, from memory or after a short wait for answers that were asked for earlier.
   */
  decide(digest: Digest): Promise<Claim | undefined>;
  /**
   * Asked once more when containerd's Write of a blob is about to begin, outside of its transaction: what `decide` had no time for gets
   * up to `LATE_CLAIM_MS`. Undefined for everything else: containerd fetches it.
   */
  decideLate(write: { ref: string; total: number }, options: { signal: AbortSignal }): Promise<LateClaim | undefined>;
  /** Whether containerd may have a blob that only the cache or a pin keeps here; not when claims are off. Counted as a local answer. */
  givesLocal(digest: Digest): boolean;
  /** A standing claim, from memory. */
  claim(digest: Digest): Claim | undefined;
  /** As `claim`, for `Info`: containerd wants it still. */
  asked(digest: Digest): Claim | undefined;
  claims(): Iterable<Claim>;
  /** containerd deleted the digest: its claim, if any, ends, and its flight when nobody else needs it. */
  released(digest: Digest): void;
  /** A blob was committed through containerd; `ref` tells the namespace and what it is (`<namespace>/<n>/manifest-sha256:<hex>`). */
  committed(digest: Digest, ref: string): void;
  /** A whole blob was read from its start; manifests among them teach what they name. */
  wasRead(digest: Digest): void;
}

/** A standing claim, or a blob that became whole here meanwhile. */
export type LateClaim = Pick<Claim, 'digest' | 'size'>;

/** containerd waits inside a database transaction: the longest that `decide` takes. */
export const CLAIM_BOUND_MS = 50;
/** The longest that `decideLate` takes: an owner that is silent, or a registry far away, and not a pull that looks stuck. */
export const LATE_CLAIM_MS = 3_000;
