/** Downloads that clients of the mirror wait for: when the last of them goes away, the mirror does not want them any more. */
import type { Digest } from '../../core/oci/digest.ts';
import type { ContentFetcher, Flight } from '../content/content.ts';
import type { Want } from '../content/blob-source.ts';

export class BlobInterest {
  readonly #content: ContentFetcher;
  readonly #giveUpMs: number;
  readonly #waiting = new Map<Digest, number>();

  /** `giveUpMs`: a download without a new byte for so long fails. */
  constructor(content: ContentFetcher, giveUpMs: number) {
    this.#content = content;
    this.#giveUpMs = giveUpMs;
  }

  /** Starts or joins a download. @returns the flight, and what ends this client's interest */
  fetch(want: Want): { flight: Flight; leave: () => void } {
    const { digest } = want;
    this.#waiting.set(digest, (this.#waiting.get(digest) ?? 0) + 1);
    const flight = this.#content.fetch(want, 'cache', { giveUpMs: this.#giveUpMs });
    let hasLeft = false;
    const leave = () => {
      if (hasLeft) return;
      hasLeft = true;
      const left = (this.#waiting.get(digest) ?? 1) - 1;
      if (left > 0) return void this.#waiting.set(digest, left);
      this.#waiting.delete(digest);
      this.#content.unwant(digest, 'cache');
    };
    return { flight, leave };
  }
}
