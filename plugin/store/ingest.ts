/** One locked ingest on disk: append, prove, commit. Bytes are hashed and synced while they arrive. */
import type { FileHandle } from 'node:fs/promises';
import type { Digest } from '../../core/oci/digest.ts';
import { CodedError, errnoOf, fromErrno } from '../../core/runtime/errors.ts';
import { readAt, writeAt } from './file-bytes.ts';
import type { HandlePool } from './handle-pool.ts';
import { dataPathOf, writeTotal, writeUpdatedAt } from './ingest-files.ts';
import type { Ingest, IngestStatus } from './ingest-store.ts';
import { checkTotal, type IngestRecord, type IngestsDeps, statusOf } from './ingests.ts';
import { PrefixHasher } from './prefix-hasher.ts';
import { Serial } from './serial.ts';

/** A background sync starts after so many bytes, which keeps the last one of a commit short. */
export const SYNC_EVERY_BYTES = 32 * 1024 * 1024;
/** With so many bytes not yet synced, appends wait for the disk. */
export const UNSYNCED_BYTES_MAX = 128 * 1024 * 1024;

type CommitOptions = { size?: number; expected?: Digest; labels?: ReadonlyMap<string, string> };

export class DiskIngest implements Ingest {
  readonly #deps: IngestsDeps & { handles: HandlePool };
  readonly #record: IngestRecord;
  readonly #onBytes: () => void;
  readonly #onClose: (end: 'kept' | 'gone', hasher: PrefixHasher) => void;
  readonly #data: string;
  readonly #serial = new Serial();
  #hasher: PrefixHasher;
  #isClosed = false;
  #caughtUp: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  #syncAskedBytes: number;
  #syncError: unknown;

  constructor(
    deps: IngestsDeps & { handles: HandlePool },
    record: IngestRecord,
    how: { hasher: PrefixHasher; onBytes: () => void; onClose: (end: 'kept' | 'gone', hasher: PrefixHasher) => void },
  ) {
    this.#deps = deps;
    this.#record = record;
    this.#hasher = how.hasher;
    this.#onBytes = how.onBytes;
    this.#onClose = how.onClose;
    this.#data = dataPathOf(record.directory);
    this.#syncAskedBytes = record.offset;
    // What a resume finds is hashed from now on, while the caller does what it has to do.
    this.#catchUp().catch(() => undefined);
  }

  status(): IngestStatus {
    return statusOf(this.#record);
  }

  append(bytes: Uint8Array): Promise<void> {
    return this.#run('Append', async () => {
      await this.#catchUp();
      await this.#appendOrUndo(bytes);
      this.#record.offset += bytes.length;
      this.#record.updatedAtMs = this.#deps.now();
      this.#onBytes();
      await this.#syncAsItGrows();
    });
  }

  async read(into: Uint8Array, offset: number): Promise<number> {
    const length = Math.min(into.length, this.#record.offset - offset);
    if (offset < 0 || length <= 0) return 0;
    return this.#file((handle) => readAt(handle, into.subarray(0, length), offset));
  }

  truncate(size: number): Promise<void> {
    return this.#run('Truncate', async () => {
      if (size !== 0) throw new CodedError('INVALID_ARGUMENT', `Truncate to ${size} is not supported, only to 0`);
      await this.#startOver();
    });
  }

  setTotal(total: number): Promise<void> {
    return this.#run('Total', async () => {
      checkTotal(this.#record.ref, total);
      if (total === this.#record.total) return;
      writeTotal(this.#record.directory, total);
      this.#record.total = total;
    });
  }

  digest(): Promise<Digest> {
    return this.#serial.run(async () => {
      if (!this.#isClosed) await this.#catchUp();
      return this.#hasher.digest();
    });
  }

  commit(options: CommitOptions): Promise<Digest> {
    return this.#run('Commit', async () => {
      try {
        await this.#catchUp();
        const digest = this.#prove(options);
        await this.#sync();
        await this.#makeBlob(digest, options.labels);
        return digest;
      } finally {
        // Whatever came of it, the ref is free again: containerd unlocks in every case.
        await this.#keep();
      }
    });
  }

  close(): Promise<void> {
    return this.#serial.run(async () => {
      if (this.#isClosed) return;
      await this.#keep();
    });
  }

  #run<T>(what: string, work: () => Promise<T>): Promise<T> {
    return this.#serial.run(async () => {
      const { ref } = this.#record;
      if (this.#isClosed) throw new CodedError('FAILED_PRECONDITION', `${what} of "${ref}" after it was closed`);
      try {
        return await work();
      } catch (error) {
        throw fromErrno(error, `${what} of "${ref}" failed`);
      }
    });
  }

  #file<T>(work: (handle: FileHandle) => Promise<T>): Promise<T> {
    return this.#deps.handles.use(this.#data, work);
  }

  /** The pool thread writes while this thread hashes. */
  async #appendOrUndo(bytes: Uint8Array): Promise<void> {
    const start = this.#record.offset;
    try {
      const writing = this.#writeWithRoom(bytes, start);
      this.#hasher.offer(start, bytes);
      await writing;
    } catch (error) {
      this.#forgetHash();
      await this.#file((handle) => handle.truncate(start));
      throw error;
    }
  }

  /** A full disk gets one more chance when eviction could free something. */
  async #writeWithRoom(bytes: Uint8Array, start: number): Promise<void> {
    try {
      await this.#file((handle) => writeAt(handle, bytes, start));
    } catch (error) {
      if (errnoOf(error) !== 'ENOSPC' || !(await this.#deps.freeSpace(bytes.length))) throw error;
      await this.#file((handle) => writeAt(handle, bytes, start));
    }
  }

  #catchUp(): Promise<void> {
    const hasher = this.#hasher;
    if (hasher.hashedBytes >= this.#record.offset) return Promise.resolve();
    this.#caughtUp ??= hasher.catchUp(
      (into, offset) => this.#file((handle) => readAt(handle, into, offset)),
      () => (this.#isClosed || hasher !== this.#hasher ? 0 : this.#record.offset),
    );
    return this.#caughtUp;
  }

  /** A read-back that still runs goes on into the old hash, which nobody asks any more. */
  #forgetHash(): void {
    this.#hasher = new PrefixHasher(this.#deps.turns);
    this.#caughtUp = undefined;
  }

  async #startOver(): Promise<void> {
    await this.#file((handle) => handle.truncate(0));
    this.#record.offset = 0;
    this.#forgetHash();
    this.#syncAskedBytes = 0;
    this.#record.updatedAtMs = this.#deps.now();
  }

  async #syncAsItGrows(): Promise<void> {
    const unsynced = this.#record.offset - this.#syncAskedBytes;
    if (unsynced < SYNC_EVERY_BYTES) return;
    if (this.#syncing !== undefined) {
      if (unsynced >= UNSYNCED_BYTES_MAX) await this.#syncing;
      return;
    }
    this.#syncAskedBytes = this.#record.offset;
    this.#syncing = this.#file((handle) => handle.datasync())
      .catch((error: unknown) => {
        this.#syncError ??= error;
      })
      .finally(() => {
        this.#syncing = undefined;
      });
  }

  #prove(options: CommitOptions): Digest {
    const { ref, offset } = this.#record;
    if (options.size !== undefined && options.size > 0 && options.size !== offset) {
      throw new CodedError(
        'FAILED_PRECONDITION',
        `Commit of "${ref}" has ${offset} bytes, ${options.size} were expected`,
      );
    }
    const digest = this.#hasher.digest();
    const expected = options.expected ?? this.#record.expected;
    if (expected !== undefined && expected !== digest) {
      throw new CodedError(
        'FAILED_PRECONDITION',
        `Commit of "${ref}" has the digest "${digest}", "${expected}" was expected`,
      );
    }
    return digest;
  }

  /** After a failed sync nobody knows what the disk holds, and a second sync would not tell: the bytes are given up. */
  async #sync(): Promise<void> {
    try {
      await this.#syncing;
      if (this.#syncError !== undefined) throw this.#syncError;
      await this.#file((handle) => handle.sync());
      await this.#checkLength();
    } catch (error) {
      await this.#startOver();
      this.#syncError = undefined;
      throw error;
    }
  }

  /** Bytes that a failed append could not take back must not become part of a blob. */
  async #checkLength(): Promise<void> {
    const { size } = await this.#file((handle) => handle.stat());
    if (size === this.#record.offset) return;
    throw new CodedError('INTERNAL', `Data of "${this.#record.ref}" has ${size} bytes, not ${this.#record.offset}`);
  }

  async #makeBlob(digest: Digest, labels: ReadonlyMap<string, string> | undefined): Promise<void> {
    if (await this.#linkExisting(digest)) {
      await this.#end('gone');
      throw new CodedError('ALREADY_EXISTS', `Blob "${digest}" is here already`);
    }
    const nowMs = this.#deps.now();
    await this.#file(async (handle) => {
      await handle.chmod(0o444);
      await handle.utimes(nowMs / 1000, nowMs / 1000);
    });
    const facts = { size: this.#record.offset, createdAtMs: nowMs, usedAtMs: nowMs };
    const directories = this.#deps.blobs.publish(this.#data, { digest, facts }, ['containerd']);
    await this.#end('gone');
    for (const directory of directories) await this.#deps.syncer.sync(directory);
    if (labels !== undefined && labels.size > 0) await this.#label(digest, labels);
  }

  /** True when the blob is here already; containerd's hold links it then. */
  async #linkExisting(digest: Digest): Promise<boolean> {
    const stat = this.#deps.index.stat(digest);
    if (stat === undefined) return false;
    try {
      await this.#deps.blobs.hold(digest, 'containerd');
      return true;
    } catch (error) {
      if (error instanceof CodedError && error.code === 'NOT_FOUND') return false;
      throw error;
    }
  }

  /** The blob is whole whatever becomes of its labels; containerd too only logs that. */
  async #label(digest: Digest, labels: ReadonlyMap<string, string>): Promise<void> {
    await this.#deps.labels.set(digest, labels).catch((error: unknown) => this.#deps.telemetry.aside('labels', error));
  }

  /** Ends with what was written, unless a sync lost some of it: the next writer's sync would not tell. */
  async #keep(): Promise<void> {
    await this.#syncing;
    await this.#end(this.#syncError === undefined ? 'kept' : 'gone');
  }

  async #end(end: 'kept' | 'gone'): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#deps.handles.close(this.#data);
    if (end === 'kept') {
      await writeUpdatedAt(this.#record.directory, this.#record.updatedAtMs).catch(() => undefined);
    }
    this.#onClose(end, this.#hasher);
  }
}
