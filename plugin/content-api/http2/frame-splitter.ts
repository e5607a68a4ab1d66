/** Bytes of a connection into frames. It keeps at most one frame's bytes between two chunks. */
import { ConnectionError, FRAME_HEAD_BYTES, type FrameHead, H2_ERROR, PREFACE } from './frames.ts';
import { FRAME_BYTES_MAX } from './limits.ts';

/** Payloads are views into the chunk that they came in; who keeps one copies it. */
export type OnFrame = (head: FrameHead, payload: Buffer) => void;

export class FrameSplitter {
  readonly #onFrame: OnFrame;
  #isGreeted = false;
  /** The beginning of a frame (or of the preface) whose end has not come. */
  readonly #rest = Buffer.allocUnsafeSlow(FRAME_HEAD_BYTES + FRAME_BYTES_MAX);
  #restBytes = 0;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** True once the client's preface has come. */
  get isGreeted(): boolean {
    return this.#isGreeted;
  }

  /** @throws ConnectionError for a wrong preface or a frame that is too long, and whatever `onFrame` throws */
  push(chunk: Buffer): void {
    let at = this.#finishRest(chunk);
    while (this.#restBytes === 0) {
      const length = this.#wholeLength(chunk, at, chunk.length);
      if (length === undefined || at + length > chunk.length) break;
      this.#take(chunk, at, length);
      at += length;
    }
    if (at < chunk.length) this.#restBytes += chunk.copy(this.#rest, this.#restBytes, at);
  }

  /** Completes what an earlier chunk began. @returns how much of this one that took */
  #finishRest(chunk: Buffer): number {
    let at = 0;
    while (this.#restBytes > 0) {
      const length = this.#wholeLength(this.#rest, 0, this.#restBytes);
      const wanted = length ?? (this.#isGreeted ? FRAME_HEAD_BYTES : PREFACE.length);
      const taken = chunk.copy(this.#rest, this.#restBytes, at, at + wanted - this.#restBytes);
      at += taken;
      this.#restBytes += taken;
      if (this.#restBytes < wanted) return at;
      if (length === undefined) continue;
      this.#restBytes = 0;
      this.#take(this.#rest, 0, length);
    }
    return at;
  }

  /** How long what begins at `at` will be; undefined when that cannot be seen yet. */
  #wholeLength(bytes: Buffer, at: number, end: number): number | undefined {
    if (!this.#isGreeted) {
      checkPreface(bytes, at, end);
      return end - at < PREFACE.length ? undefined : PREFACE.length;
    }
    if (end - at < FRAME_HEAD_BYTES) return undefined;
    const length = bytes.readUIntBE(at, 3);
    if (length <= FRAME_BYTES_MAX) return FRAME_HEAD_BYTES + length;
    throw new ConnectionError(
      H2_ERROR.FRAME_SIZE_ERROR,
      `A frame of ${length} bytes is longer than ${FRAME_BYTES_MAX}`,
    );
  }

  #take(bytes: Buffer, at: number, length: number): void {
    if (!this.#isGreeted) {
      this.#isGreeted = true;
      return;
    }
    const head = {
      length: length - FRAME_HEAD_BYTES,
      type: bytes[at + 3] ?? 0,
      flags: bytes[at + 4] ?? 0,
      stream: bytes.readUInt32BE(at + 5) & 0x7fff_ffff,
    };
    this.#onFrame(head, bytes.subarray(at + FRAME_HEAD_BYTES, at + length));
  }
}

function checkPreface(bytes: Buffer, at: number, end: number): void {
  const seen = Math.min(end - at, PREFACE.length);
  if (bytes.compare(PREFACE, 0, seen, at, at + seen) !== 0) {
    throw new ConnectionError(H2_ERROR.PROTOCOL_ERROR, 'The connection does not begin as HTTP/2 does');
  }
}
