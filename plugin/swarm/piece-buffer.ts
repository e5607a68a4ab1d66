/**
 * One piece on its way, in memory: filled in any order, hashed when whole, and given on while it comes. Whoever reads along
 * gets its last chunk only once the piece is accepted, so that nobody passes on what turned out wrong.
 */
import { createHash } from 'node:crypto';
import type { Digest } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { FlightSink } from '../content/blob-source.ts';
import type { OpenRange } from '../peer/peer.ts';
import type { ByteRange } from '../store/partial-store.ts';
import { pieceMemory } from './piece-memory.ts';

/** A piece is given on in so many chunks. */
const CHUNKS = 8;
const CHUNK_BYTES_MAX = 1024 * 1024;
/** Members that read a piece along at once: each passes it on, so that more would only share this node's line. */
export const READERS_MAX = 2;

/** What is left when the memory has been given back. */
const NOTHING = Buffer.alloc(0);

export class PieceBuffer {
  readonly range: ByteRange;
  readonly #size: number;
  #bytes: Buffer;
  readonly #waiting = new Set<() => void>();
  #filled = 0;
  #readers = 0;
  #end: { isGood: boolean; sha256: string } | undefined;
  #isDropped = false;

  constructor(range: ByteRange) {
    this.range = range;
    this.#size = range.end - range.start;
    this.#bytes = pieceMemory.take(this.#size);
  }

  /** The piece's memory, until it is dropped. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get filled(): number {
    return this.#filled;
  }

  get isFull(): boolean {
    return this.#filled === this.#size;
  }

  /** Whether one more may read along. */
  get hasRoom(): boolean {
    return this.#readers < READERS_MAX && this.#end?.isGood !== false;
  }

  /** Takes the next bytes. @throws CodedError DATA_LOSS when there are more than the piece has, CANCELLED when it was dropped */
  append(bytes: Uint8Array): void {
    if (this.#isDropped) throw new CodedError('CANCELLED', 'Bytes came for a piece that was dropped');
    if (bytes.length > this.#size - this.#filled) {
      throw new CodedError('DATA_LOSS', `More than the ${this.#size} bytes of a piece were sent`);
    }
    this.#bytes.set(bytes, this.#filled);
    this.#filled += bytes.length;
    this.#wake();
  }

  sha256(): string {
    return createHash('sha256').update(this.#bytes).digest('hex');
  }

  /** The piece is what others vouch for: whoever reads along gets its end. */
  accept(sha256: string): void {
    this.#end ??= { isGood: true, sha256 };
    this.#wake();
  }

  /** Its sender's word was refuted: nobody may read it along any more, while it comes to its end for this node. */
  disown(): void {
    this.#end ??= { isGood: false, sha256: '' };
    this.#wake();
  }

  /** Nobody fills it any more. Unless it was accepted, reading along fails; whoever reads along already comes to its end. */
  drop(): void {
    this.#end ??= { isGood: false, sha256: '' };
    this.#isDropped = true;
    this.#giveBackMemory();
    this.#wake();
  }

  /** Reads along. */
  open(signal: AbortSignal): OpenRange {
    const sha256 = this.#whenEnded(signal);
    sha256.catch(() => undefined);
    return { chunks: this.#chunks(signal), sha256 };
  }

  async *#chunks(signal: AbortSignal): AsyncIterable<Uint8Array> {
    if (this.#isDropped) throw new CodedError('UNAVAILABLE', 'Piece is no longer on its way');
    const step = Math.min(CHUNK_BYTES_MAX, Math.max(1, Math.ceil(this.#size / CHUNKS)));
    this.#readers += 1;
    try {
      for (let at = 0; at < this.#size; at += step) {
        const end = Math.min(this.#size, at + step);
        await this.#until(() => (end === this.#size ? false : this.#filled >= end), signal);
        yield this.#bytes.subarray(at, end);
      }
    } finally {
      this.#readers -= 1;
      this.#giveBackMemory();
    }
  }

  /** The last one to use it calls this. */
  #giveBackMemory(): void {
    if (!this.#isDropped || this.#readers > 0) return;
    pieceMemory.giveBack(this.#bytes);
    this.#bytes = NOTHING;
  }

  async #whenEnded(signal: AbortSignal): Promise<string> {
    await this.#until(() => false, signal);
    return this.#end?.sha256 ?? '';
  }

  /** Resolves when `isThere`, or the piece is accepted. @throws CodedError UNAVAILABLE when it is dropped; the signal's reason */
  async #until(isThere: () => boolean, signal: AbortSignal): Promise<void> {
    while (!isThere() && this.#end?.isGood !== true) {
      if (this.#end !== undefined) throw new CodedError('UNAVAILABLE', 'Piece did not come through');
      signal.throwIfAborted();
      await this.#change(signal);
    }
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

/** A piece's buffer as the sink of a source: nothing but its one gap, in order. */
export class PieceSink implements FlightSink {
  readonly digest: Digest;
  readonly size: number;
  readonly #buffer: PieceBuffer;
  readonly #onBytes: (bytes: number) => void;

  constructor(blob: { digest: Digest; size: number }, buffer: PieceBuffer, onBytes: (bytes: number) => void) {
    this.digest = blob.digest;
    this.size = blob.size;
    this.#buffer = buffer;
    this.#onBytes = onBytes;
  }

  nextGap(maxBytes = Number.POSITIVE_INFINITY): ByteRange | undefined {
    const start = this.#buffer.range.start + this.#buffer.filled;
    const { end } = this.#buffer.range;
    return start === end ? undefined : { start, end: Math.min(end, start + maxBytes) };
  }

  urgentGap(): undefined {
    return undefined;
  }

  /** Bytes out of order, or beyond the piece, are left out: they will be asked for again. */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    const next = this.#buffer.range.start + this.#buffer.filled;
    if (offset > next || offset + bytes.length <= next) return;
    const fresh = bytes.subarray(next - offset, Math.min(bytes.length, this.#buffer.range.end - offset));
    if (fresh.length === 0) return;
    this.#buffer.append(fresh);
    this.#onBytes(fresh.length);
  }
}
