/** A rate with a small burst: how long bytes that have passed must be followed by silence. Pure: time comes in. */

/** What may pass at once after silence, as a share of a second's worth. */
const BURST_SECONDS = 0.25;

export class TokenBucket {
  readonly #perMs: number;
  readonly #capacity: number;
  #tokens: number;
  #atMs: number | undefined;

  constructor(bytesPerSecond: number) {
    this.#perMs = bytesPerSecond / 1000;
    this.#capacity = bytesPerSecond * BURST_SECONDS;
    this.#tokens = this.#capacity;
  }

  /** Takes `bytes`, on credit if need be. @returns how long whoever took them waits now, milliseconds */
  take(bytes: number, nowMs: number): number {
    const passedMs = Math.max(0, nowMs - (this.#atMs ?? nowMs));
    this.#atMs = nowMs;
    this.#tokens = Math.min(this.#capacity, this.#tokens + passedMs * this.#perMs) - bytes;
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.#perMs;
  }
}
