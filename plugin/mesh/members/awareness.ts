/**
 * Lifeguard's local health: a member that misses answers it should have had doubts itself first, and probes more slowly.
 * (Dadgar, Phillips, Currey: "Lifeguard"; memberlist `awareness.go`)
 */
export class Awareness {
  readonly #max: number;
  #score = 0;

  /** The score stays from 0 to `max` - 1. */
  constructor(max: number) {
    this.#max = max;
  }

  /** 0 is healthy. */
  get score(): number {
    return this.#score;
  }

  /** Above 0: something went wrong here. */
  apply(delta: number): void {
    this.#score = Math.min(this.#max - 1, Math.max(0, this.#score + delta));
  }

  scaleMs(ms: number): number {
    return ms * (this.#score + 1);
  }
}
