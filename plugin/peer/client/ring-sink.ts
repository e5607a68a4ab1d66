/**
 * A long body, taken in runs while it arrives: one fixed buffer, used round and round. Its size is all the memory that a range takes,
 * whatever the range's length and the taker's speed.
 */
import type { BodySink } from './body-sink.ts';

export const RING_BYTES = 1024 * 1024;

/** What a paused TLS socket may still give: records that it had read already. Tests hold that it is enough. */
const RESERVE_BYTES = 64 * 1024;
/** The sender waits when there is less room than this: the reserve, and a next read that is worth its call. */
const ROOM_MIN_BYTES = 2 * RESERVE_BYTES;

export class RingSink implements BodySink {
  readonly #ring: Buffer;
  /** Where bytes are taken, where they are written, and how many lie between. */
  #takeAt = 0;
  #writeAt = 0;
  #held = 0;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(ring: Buffer) {
    this.#ring = ring;
  }

  target(bytes: number): Uint8Array {
    const end = this.#writeAt < this.#takeAt ? this.#takeAt : this.#ring.length;
    const room = this.#ring.length - this.#held;
    // The reserve is given out only when reading has been paused; it must be there then.
    const most = this.hasRoom() ? room - RESERVE_BYTES : room;
    return this.#ring.subarray(this.#writeAt, Math.min(end, this.#writeAt + Math.min(bytes, most)));
  }

  filled(bytes: number): boolean {
    this.#writeAt = (this.#writeAt + bytes) % this.#ring.length;
    this.#held += bytes;
    this.#wakeSoon();
    return this.hasRoom();
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#wakeTaker();
  }

  /** The sender may go on. */
  hasRoom(): boolean {
    return this.#ring.length - this.#held > ROOM_MIN_BYTES;
  }

  /** Bytes in order, one to `max` of them; they stay until they are given back by `release`. @throws what failed the body */
  async next(max: number): Promise<Buffer> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#held > 0) break;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const contiguous = Math.min(this.#held, this.#ring.length - this.#takeAt, max);
    return this.#ring.subarray(this.#takeAt, this.#takeAt + contiguous);
  }

  release(bytes: number): void {
    this.#takeAt = (this.#takeAt + bytes) % this.#ring.length;
    this.#held -= bytes;
  }

  /** After this turn of the event loop, so that reads that come together are taken together. */
  #wakeSoon(): void {
    if (this.#wake !== undefined) setImmediate(() => this.#wakeTaker());
  }

  #wakeTaker(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
