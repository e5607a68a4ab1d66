/**
 * Memory of messages, used again: containerd writes by messages of 1 MiB, and a fresh buffer for each would keep the garbage
 * collector busier than the disk.
 */

/** Shorter messages come from Node's own pool. */
const POOLED_BYTES_MIN = 64 * 1024;
/** Longer ones are rare and not kept. */
const POOLED_BYTES_MAX = 2 * 1024 * 1024;
/** Buffers kept: as many as a pull has layers under way, and a bound of 8 MiB. */
const FREE_MAX = 4;

export class MessagePool {
  #free: ArrayBuffer[] = [];

  /** A buffer of that length with anything in it. */
  take(length: number): Buffer {
    if (length < POOLED_BYTES_MIN) return Buffer.allocUnsafe(length);
    // Pages that are never filled cost no memory, so a length that lies costs nothing.
    if (length > POOLED_BYTES_MAX) return Buffer.allocUnsafeSlow(length);
    const at = this.#free.findIndex((memory) => memory.byteLength >= length);
    const memory = at === -1 ? new ArrayBuffer(roundedUp(length)) : this.#free.splice(at, 1)[0];
    return memory === undefined ? Buffer.allocUnsafeSlow(length) : Buffer.from(memory, 0, length);
  }

  /** Gives a buffer of `take` back; nobody may look at it any more. */
  give({ buffer, byteOffset, length }: Buffer): void {
    const isOurs = byteOffset === 0 && length >= POOLED_BYTES_MIN && length <= POOLED_BYTES_MAX;
    if (isOurs && buffer instanceof ArrayBuffer && this.#free.length < FREE_MAX) this.#free.push(buffer);
  }
}

/** Messages of one writer differ by a few bytes. */
function roundedUp(length: number): number {
  return Math.ceil(length / POOLED_BYTES_MIN) * POOLED_BYTES_MIN;
}
