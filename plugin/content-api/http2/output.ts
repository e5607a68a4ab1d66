/**
 * What a connection writes, gathered into buffers that are used again. A fresh buffer for each answer would be collected by
 * the garbage collector, which then takes as long as the answers themselves.
 */
import { BULK_TURN_BYTES_MAX, BULK_UNSENT_BYTES_MAX, FRAME_BYTES_MAX } from './limits.ts';

/** Bytes of one buffer: several answers of 32 KiB, and less than a unix socket takes at once. */
export const OUTPUT_CHUNK_BYTES = 128 * 1024;
/** Buffers kept for later. */
const FREE_CHUNKS_MAX = 8;
/** The longest stretch that is asked for at once: a frame and its head, or a header block. */
export const RESERVE_BYTES_MAX = FRAME_BYTES_MAX + 64;

interface Chunk {
  readonly bytes: Buffer;
  /** Writes from it that the socket has not taken. */
  writes: number;
}

/** Hands bytes to the socket; `done` is called when they may be overwritten. */
export type WriteOut = (bytes: Buffer, done: () => void) => void;

export class Output {
  readonly #writeOut: WriteOut;
  #free: Chunk[] = [];
  #chunk: Chunk = newChunk();
  #start = 0;
  #end = 0;
  #isCorked = false;
  #unsentBytes = 0;
  #turnBytes = 0;
  #nextTurn: NodeJS.Immediate | undefined;
  /** Called when there is room for bulk again. */
  onRoom: () => void = () => undefined;

  constructor(writeOut: WriteOut) {
    this.#writeOut = writeOut;
  }

  /** How much of `wanted` bytes of a long answer may be written now, so that short ones that come next do not wait behind it. */
  takeBulk(wanted: number): number {
    const room = BULK_UNSENT_BYTES_MAX - this.#unsentBytes - (this.#end - this.#start);
    const taken = Math.max(0, Math.min(wanted, room, BULK_TURN_BYTES_MAX - this.#turnBytes));
    this.#turnBytes += taken;
    if (taken > 0) this.#nextTurn ??= setImmediate(() => this.#onNextTurn());
    return taken;
  }

  /** The buffer that `reserve` gave room in. */
  get buffer(): Buffer {
    return this.#chunk.bytes;
  }

  /** Room for `length` bytes (at most `RESERVE_BYTES_MAX`), to be filled at once. @returns where in `buffer` */
  reserve(length: number): number {
    if (this.#end + length > OUTPUT_CHUNK_BYTES) this.#renew();
    const at = this.#end;
    this.#end += length;
    return at;
  }

  put(bytes: Buffer): void {
    const at = this.reserve(bytes.length);
    this.#chunk.bytes.set(bytes, at);
  }

  /** Nothing is written until `uncork`: one write for all that a chunk of the peer's asked for. */
  cork(): void {
    this.#isCorked = true;
  }

  uncork(): void {
    this.#isCorked = false;
    this.flush();
  }

  /** Writes what was gathered, unless it is corked. */
  flush(): void {
    if (!this.#isCorked) this.#write();
  }

  #write(): void {
    if (this.#end === this.#start) return;
    const chunk = this.#chunk;
    chunk.writes += 1;
    const bytes = chunk.bytes.subarray(this.#start, this.#end);
    this.#start = this.#end;
    this.#unsentBytes += bytes.length;
    this.#writeOut(bytes, () => this.#onWritten(chunk, bytes.length));
  }

  #onWritten(chunk: Chunk, length: number): void {
    this.#unsentBytes -= length;
    chunk.writes -= 1;
    if (chunk.writes === 0) this.#onFree(chunk);
    if (this.#unsentBytes <= BULK_UNSENT_BYTES_MAX / 2) this.onRoom();
  }

  /** Sockets that had something to say have been heard. */
  #onNextTurn(): void {
    const hadItsShare = this.#turnBytes >= BULK_TURN_BYTES_MAX;
    this.#turnBytes = 0;
    this.#nextTurn = undefined;
    if (hadItsShare) this.onRoom();
  }

  #onFree(chunk: Chunk): void {
    if (chunk !== this.#chunk) {
      if (this.#free.length < FREE_CHUNKS_MAX) this.#free.push(chunk);
    } else if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
    }
  }

  #renew(): void {
    this.#write();
    this.#chunk = this.#free.pop() ?? newChunk();
    this.#start = 0;
    this.#end = 0;
  }
}

function newChunk(): Chunk {
  return { bytes: Buffer.allocUnsafeSlow(OUTPUT_CHUNK_BYTES), writes: 0 };
}
