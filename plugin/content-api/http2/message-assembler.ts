/** gRPC messages out of a stream's data: a byte for compression, four for the length, then the message itself. */
import { CodedError } from '../../../core/runtime/errors.ts';
import { MESSAGE_BYTES_MAX } from '../endpoint.ts';
import type { MessagePool } from './message-pool.ts';

export const MESSAGE_HEAD_BYTES = 5;

/** One for each stream. What it gives is the caller's own: nothing points into the connection's buffers. */
export class MessageAssembler {
  readonly #pool: MessagePool;
  readonly #head = Buffer.allocUnsafe(MESSAGE_HEAD_BYTES);
  #headFilled = 0;
  #message: Buffer | undefined;
  #filled = 0;

  constructor(pool: MessagePool) {
    this.#pool = pool;
  }

  /** Bytes kept of a message that is not complete. */
  get bufferedBytes(): number {
    return this.#filled;
  }

  /** True between two messages: where a client may end its stream. */
  get isAtBoundary(): boolean {
    return this.#headFilled === 0;
  }

  /**
   * Takes data in; complete messages go to `onMessage` in order.
   * @throws CodedError RESOURCE_EXHAUSTED for a message that is too long, INVALID_ARGUMENT for a compressed one
   */
  push(data: Buffer, onMessage: (message: Buffer) => void): void {
    let at = 0;
    while (at < data.length) {
      if (this.#message === undefined) {
        at = this.#takeHead(data, at);
        if (this.#headFilled < MESSAGE_HEAD_BYTES) return;
        this.#message = this.#allocate();
      }
      const taken = Math.min(this.#message.length - this.#filled, data.length - at);
      data.copy(this.#message, this.#filled, at, at + taken);
      this.#filled += taken;
      at += taken;
      if (this.#filled === this.#message.length) this.#finish(this.#message, onMessage);
    }
  }

  #takeHead(data: Buffer, from: number): number {
    let at = from;
    while (this.#headFilled < MESSAGE_HEAD_BYTES && at < data.length) this.#head[this.#headFilled++] = data[at++] ?? 0;
    return at;
  }

  #allocate(): Buffer {
    if (this.#head[0] !== 0) throw new CodedError('INVALID_ARGUMENT', 'Compressed messages are not taken');
    const length = this.#head.readUInt32BE(1);
    if (length > MESSAGE_BYTES_MAX) {
      const text = `Message of ${length} bytes is longer than the ${MESSAGE_BYTES_MAX} that are taken`;
      throw new CodedError('RESOURCE_EXHAUSTED', text);
    }
    return this.#pool.take(length);
  }

  #finish(message: Buffer, onMessage: (message: Buffer) => void): void {
    this.#message = undefined;
    this.#filled = 0;
    this.#headFilled = 0;
    onMessage(message);
  }
}
