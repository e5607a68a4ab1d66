/** How many things run at once, in all and for each peer; one more is refused rather than kept waiting: ask another. */
import { CodedError } from '../../../core/runtime/errors.ts';

export class Shares {
  readonly #what: string;
  readonly #max: { all: number; perPeer: number };
  readonly #running = new Map<string, number>();
  #count = 0;

  constructor(what: string, max: { all: number; perPeer: number }) {
    this.#what = what;
    this.#max = max;
  }

  /** @returns what gives it back, once. @throws CodedError RESOURCE_EXHAUSTED */
  take(peer: string): () => void {
    const running = this.#running.get(peer) ?? 0;
    if (this.#count >= this.#max.all || running >= this.#max.perPeer) {
      throw new CodedError('RESOURCE_EXHAUSTED', `Too many ${this.#what} at once: ask another peer or later`);
    }
    this.#count += 1;
    this.#running.set(peer, running + 1);
    return () => this.#giveBack(peer);
  }

  #giveBack(peer: string): void {
    const running = this.#running.get(peer) ?? 0;
    this.#count -= 1;
    if (running <= 1) this.#running.delete(peer);
    else this.#running.set(peer, running - 1);
  }
}
