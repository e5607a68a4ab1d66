/**
 * How much is given to one peer at a time. A write is known to be taken only when all of it is, so that a slow reader would look like
 * one that takes nothing, and be given up, if it were given much; small writes cost a quick one's sender more. Pure: time comes in.
 */

const BYTES_FIRST = 64 * 1024;
const BYTES_MIN = 16 * 1024;
const BYTES_MAX = 256 * 1024;
/** What was taken within this may be doubled, milliseconds; a busy process hears late of what was taken long ago. */
const QUICK_MS = 250;
/** What took longer than this is halved, milliseconds: far less than a reader that takes nothing is waited for. */
const SLOW_MS = 2_000;

export class SendPace {
  #bytes = BYTES_FIRST;

  /** To be given next. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What was given was taken, or could go on after that long. */
  took(ms: number): void {
    if (ms <= QUICK_MS) this.#bytes = Math.min(BYTES_MAX, this.#bytes * 2);
    else if (ms > SLOW_MS) this.#bytes = Math.max(BYTES_MIN, this.#bytes / 2);
  }
}
