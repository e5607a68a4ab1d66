/** The SHA-256 of a large file's first bytes, kept as they grow, by the hashing thread. */
import { type Digest, parseDigest } from '../../core/oci/digest.ts';
import { type HashThread, hashThread, type HashWork } from './hash-thread.ts';
import type { GrowingHash, ReadAt } from './prefix-hasher.ts';

/** Files of so many bytes are worth a message to another thread for each step. */
export const FILE_HASHER_BYTES_MIN = 32 * 1024 * 1024;
/** The least that is worth one. */
const STEP_BYTES_MIN = 1024 * 1024;
/** Hashed at once: some 5 ms, in which other files wait. */
const STEP_BYTES_MAX = 8 * 1024 * 1024;

export class FileHasher implements GrowingHash {
  readonly lagBytes = STEP_BYTES_MIN;
  readonly #fd: number;
  readonly #thread: Pick<HashThread, 'freshId' | 'run'>;
  #id: number;
  #hashedBytes = 0;
  #isBegun = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(fd: number, thread: Pick<HashThread, 'freshId' | 'run'> = hashThread) {
    this.#fd = fd;
    this.#thread = thread;
    this.#id = thread.freshId();
  }

  get hashedBytes(): number {
    return this.#hashedBytes;
  }

  /** The file itself is read: what is written may never get there. */
  offer(): void {}

  async catchUp(_read: ReadAt, until: () => number): Promise<void> {
    let mayBeginAgain = this.#hashedBytes > 0;
    while (this.#hashedBytes < until()) {
      const start = this.#hashedBytes;
      const end = Math.min(until(), start + STEP_BYTES_MAX);
      try {
        await this.#run(start, end, 'go on');
        this.#hashedBytes = end;
      } catch (error) {
        // A thread that died took the hash with it; a file that cannot be read fails again.
        if (!mayBeginAgain) throw error;
        mayBeginAgain = false;
      }
    }
  }

  async digest(): Promise<Digest> {
    return parseDigest(`sha256:${await this.#run(this.#hashedBytes, this.#hashedBytes, 'digest')}`);
  }

  async close(): Promise<void> {
    await this.#running;
    if (this.#isBegun) await this.#run(this.#hashedBytes, this.#hashedBytes, 'forget').catch(() => undefined);
  }

  async #run(start: number, end: number, then: HashWork['then']): Promise<string> {
    this.#isBegun = then !== 'forget';
    const work = this.#thread.run({ id: this.#id, fd: this.#fd, start, end, then });
    this.#running = work.catch(() => undefined);
    try {
      return await work;
    } catch (error) {
      // The thread has forgotten it.
      this.#hashedBytes = 0;
      this.#id = this.#thread.freshId();
      throw error;
    }
  }
}
