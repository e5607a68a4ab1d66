/**
 * The memory of pieces on their way, used again for the next ones. Fresh memory for each would cost more than hashing it: the
 * kernel clears it page by page, and the garbage collector runs for it again and again.
 */

/** Smaller pieces are not worth it. */
const REUSED_BYTES_MIN = 1024 * 1024;
/** Kept for the next pieces while others are on their way; without any, nothing is kept. */
export const SPARE_BYTES_MAX = 32 * 1024 * 1024;

export class PieceMemory {
  readonly #spares: Buffer[] = [];
  #spareBytes = 0;
  #inUse = 0;

  /** What was in it before is still there. */
  take(bytes: number): Buffer {
    if (bytes < REUSED_BYTES_MIN) return Buffer.allocUnsafe(bytes);
    this.#inUse += 1;
    const index = this.#spares.findIndex((spare) => spare.length === bytes);
    const [spare] = index < 0 ? [] : this.#spares.splice(index, 1);
    if (spare === undefined) return Buffer.allocUnsafeSlow(bytes);
    this.#spareBytes -= bytes;
    return spare;
  }

  /** Nobody may read or write `memory` any more. */
  giveBack(memory: Buffer): void {
    if (memory.length < REUSED_BYTES_MIN) return;
    this.#inUse -= 1;
    if (this.#inUse === 0) {
      this.#spares.length = 0;
      this.#spareBytes = 0;
    } else if (this.#spareBytes + memory.length <= SPARE_BYTES_MAX) {
      this.#spares.push(memory);
      this.#spareBytes += memory.length;
    }
  }
}

/** The one of this process. */
export const pieceMemory = new PieceMemory();
