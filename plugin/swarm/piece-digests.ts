/**
 * What pieces of whole blobs hash to, so that a holder hashes each of them once and not for every member that asks. Whole
 * blobs only: what a digest names never changes, while pieces of an unproven download may be replaced.
 */
import type { RangeRequest } from '../peer/peer.ts';

/** Some 200 bytes each; in pieces of 1 MiB, of 16 GiB; of 4 MiB, of 64 GiB. */
export const PIECE_DIGESTS_MAX = 16_384;

export class PieceDigests {
  /** The one asked for longest ago first. */
  readonly #found = new Map<string, string>();

  find(request: RangeRequest): string | undefined {
    const sha256 = this.#found.get(keyOf(request));
    if (sha256 !== undefined) this.keep(request, sha256);
    return sha256;
  }

  keep(request: RangeRequest, sha256: string): void {
    const key = keyOf(request);
    this.#found.delete(key);
    this.#found.set(key, sha256);
    const [oldest] = this.#found.keys();
    if (this.#found.size > PIECE_DIGESTS_MAX && oldest !== undefined) this.#found.delete(oldest);
  }
}

function keyOf({ digest, range }: RangeRequest): string {
  return `${digest} ${range.start}-${range.end}`;
}
