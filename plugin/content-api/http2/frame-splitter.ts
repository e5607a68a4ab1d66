/** Bytes of a connection into frames. It keeps at most one frame's bytes between two chunks. */
import { ConnectionError, FRAME_HEAD_BYTES, type FrameHead, H2_ERROR, PREFACE } from './frames.ts';
import { FRAME_BYTES_MAX } from './limits.ts';

/** Payloads are views into the chunk that they came in; who keeps one copies it. */
export type OnFrame = (head: FrameHead, payload: Buffer) => void;

export class FrameSplitter {
  readonly #onFrame: OnFrame;
  #isGreeted = false;
  #rest: Buffer | undefined;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** True once the client's preface has come. */
  get isGreeted(): boolean {
    return this.#isGreeted;
  }

  /** @throws ConnectionError for a wrong preface or a frame that is too long, and whatever `onFrame` throws */
  push(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    let at = this.#preface(bytes);
    for (;;) {
      const next = this.#frame(bytes, at);
      if (next === at) break;
      at = next;
    }
    if (at < bytes.length) this.#rest = Buffer.from(bytes.subarray(at));
  }

  #preface(bytes: Buffer): number {
    if (this.#isGreeted) return 0;
    const seen = Math.min(bytes.length, PREFACE.length);
    if (bytes.compare(PREFACE, 0, seen, 0, seen) !== 0) {
      throw new ConnectionError(H2_ERROR.PROTOCOL_ERROR, 'The connection does not begin as HTTP/2 does');
    }
    this.#isGreeted = seen === PREFACE.length;
    return this.#isGreeted ? seen : 0;
  }

  /** @returns where the next frame begins; `at` itself when this one is not whole yet */
  #frame(bytes: Buffer, at: number): number {
    if (!this.#isGreeted || bytes.length - at < FRAME_HEAD_BYTES) return at;
    const length = bytes.readUIntBE(at, 3);
    if (length > FRAME_BYTES_MAX) {
      throw new ConnectionError(
        H2_ERROR.FRAME_SIZE_ERROR,
        `A frame of ${length} bytes is longer than ${FRAME_BYTES_MAX}`,
      );
    }
    const end = at + FRAME_HEAD_BYTES + length;
    if (end > bytes.length) return at;
    const head = {
      length,
      type: bytes[at + 3] ?? 0,
      flags: bytes[at + 4] ?? 0,
      stream: bytes.readUInt32BE(at + 5) & 0x7fff_ffff,
    };
    this.#onFrame(head, bytes.subarray(at + FRAME_HEAD_BYTES, end));
    return end;
  }
}
