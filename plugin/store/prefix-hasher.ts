/** The SHA-256 of a file's first bytes, kept as they grow: from memory when they come in order, read back when not. */
import { createHash } from 'node:crypto';
import { type Digest, parseDigest } from '../../core/oci/digest.ts';
import type { Semaphore } from '../../core/runtime/semaphore.ts';

/** Bytes read back at once; hashing them takes under a millisecond of the main thread. */
const READ_BACK_BYTES = 1024 * 1024;

/** Read-backs that may run at once over the whole store: each has a buffer and keeps a pool thread busy. */
export const READ_BACKS_MAX = 4;

export type ReadAt = (into: Uint8Array, offset: number) => Promise<number>;

/** The SHA-256 of a file's first bytes, kept as they grow. */
export interface GrowingHash {
  /** How many bytes from the start are in the hash. */
  readonly hashedBytes: number;
  /** By how much the hash may stay behind until it is worth catching up, while more is to come. */
  readonly lagBytes: number;
  /** Hears of bytes that are being written. */
  offer(start: number, bytes: Uint8Array): void;
  /** Hashes until `until()` bytes are in the hash; not to be called again meanwhile. */
  catchUp(read: ReadAt, until: () => number): Promise<void>;
  /** The digest of the first `hashedBytes`; more may follow. */
  digest(): Digest | Promise<Digest>;
  /** Resolves when the file is no longer read. */
  close(): Promise<void>;
}

export class PrefixHasher implements GrowingHash {
  readonly lagBytes = 0;
  readonly #turns: Semaphore;
  readonly #hash = createHash('sha256');
  #hashedBytes = 0;

  constructor(turns: Semaphore) {
    this.#turns = turns;
  }

  get hashedBytes(): number {
    return this.#hashedBytes;
  }

  /** Takes bytes that continue what is hashed; any others are left to `catchUp`. */
  offer(start: number, bytes: Uint8Array): void {
    const skip = this.#hashedBytes - start;
    if (skip < 0 || skip >= bytes.length) return;
    this.#hash.update(skip === 0 ? bytes : bytes.subarray(skip));
    this.#hashedBytes = start + bytes.length;
  }

  async catchUp(read: ReadAt, until: () => number): Promise<void> {
    if (this.#hashedBytes >= until()) return;
    await this.#turns.run(() => this.#readBack(read, until));
  }

  async #readBack(read: ReadAt, until: () => number): Promise<void> {
    const buffer = Buffer.allocUnsafe(Math.min(READ_BACK_BYTES, Math.max(1, until() - this.#hashedBytes)));
    while (this.#hashedBytes < until()) {
      const start = this.#hashedBytes;
      const length = Math.min(buffer.length, until() - start);
      const bytesRead = await read(buffer.subarray(0, length), start);
      if (bytesRead === 0) throw new Error(`File ends at ${start} bytes, ${until()} were expected`);
      this.offer(start, buffer.subarray(0, bytesRead));
    }
  }

  digest(): Digest {
    return parseDigest(`sha256:${this.#hash.copy().digest('hex')}`);
  }

  /** Whoever gave `read` to `catchUp` knows when that is over. */
  async close(): Promise<void> {}
}
