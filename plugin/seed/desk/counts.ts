/** Ends of (node, image) pairs, counted. */
import type { ImageRow, SeedCounts } from '../seed.ts';

export class Counts {
  readonly #ends = { present: 0, fetched: 0, skipped: 0, failed: 0, bytesFetched: 0 };

  add({ state, bytesFetched }: Pick<ImageRow, 'state' | 'bytesFetched'>): void {
    if (state === 'waiting' || state === 'fetching' || state === 'unpacking') return;
    this.#ends[state] += 1;
    this.#ends.bytesFetched += bytesFetched;
  }

  get(): SeedCounts {
    return { ...this.#ends };
  }
}
