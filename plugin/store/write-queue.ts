/** Writes at offsets into one file, one after another, joined where they touch. */
import type { FileHandle } from 'node:fs/promises';
import { CodedError } from '../../core/runtime/errors.ts';
import type { ByteRanges } from './byte-ranges.ts';
import { writeAllAt } from './file-bytes.ts';
import { type WaitingWrite, type WriteBatch, takeBatch } from './write-batch.ts';

/** Bytes that may wait for the disk in one download; whoever sends more has not waited for its promises. */
export const WAITING_BYTES_MAX = 64 * 1024 * 1024;

interface Job extends WaitingWrite {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface WriteQueueDeps {
  handle: FileHandle;
  present: ByteRanges;
  /** Hears of bytes as they go to the disk; they are not there yet. */
  onWriting: (offset: number, bytes: Uint8Array) => void;
  /** Bytes are in the file and in `present`. */
  onWritten: () => void;
  /** What `onWriting` heard may not be in the file. */
  onFailed: () => void;
}

export class WriteQueue {
  readonly #deps: WriteQueueDeps;
  readonly #jobs: Job[] = [];
  #waitingBytes = 0;
  #running: Promise<void> | undefined;

  constructor(deps: WriteQueueDeps) {
    this.#deps = deps;
  }

  /** Resolves when all of `bytes` are in the file. @throws CodedError RESOURCE_EXHAUSTED when too much waits */
  write(start: number, bytes: Uint8Array): Promise<void> {
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes.length > WAITING_BYTES_MAX) {
      const reason = `Write of ${bytes.length} bytes refused: ${this.#waitingBytes} wait already (at most ${WAITING_BYTES_MAX})`;
      return Promise.reject(new CodedError('RESOURCE_EXHAUSTED', reason));
    }
    this.#waitingBytes += bytes.length;
    return new Promise((resolve, reject) => {
      this.#jobs.push({ start, bytes, at: start, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  /** Resolves when nothing waits; failures went to their writers. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #drain(): Promise<void> {
    // One tick, so that writes made together are joined.
    await Promise.resolve();
    while (this.#jobs.length > 0) await this.#writeBatch(takeBatch(this.#jobs, this.#deps.present));
    this.#running = undefined;
  }

  async #writeBatch(batch: WriteBatch<Job>): Promise<void> {
    const { handle, present, onWriting, onWritten, onFailed } = this.#deps;
    try {
      const writing = writeAllAt(handle, batch.buffers, batch.offset);
      let at = batch.offset;
      for (const buffer of batch.buffers) {
        onWriting(at, buffer);
        at += buffer.length;
      }
      await writing;
      present.add(batch.offset, batch.offset + batch.byteCount);
    } catch (error) {
      onFailed();
      return this.#finish(batch.touched.length, (job) => job.reject(error));
    }
    this.#finish(batch.doneCount, (job) => job.resolve());
    onWritten();
  }

  #finish(count: number, end: (job: Job) => void): void {
    for (const job of this.#jobs.splice(0, count)) {
      this.#waitingBytes -= job.bytes.length;
      end(job);
    }
  }
}
