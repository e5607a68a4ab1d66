/** One open download on disk. */
import type { FileHandle } from 'node:fs/promises';
import type { Digest } from '../../core/oci/digest.ts';
import { CodedError, fromErrno } from '../../core/runtime/errors.ts';
import type { ByteRanges } from './byte-ranges.ts';
import type { DirectHold } from './disk-blobs.ts';
import { FILE_HASHER_BYTES_MIN, FileHasher } from './file-hasher.ts';
import { readAt } from './file-bytes.ts';
import { partialDataPath, writePieces } from './partial-files.ts';
import type { ByteRange, Partial } from './partial-store.ts';
import type { PartialRecord, PartialsDeps } from './partials.ts';
import { wholePieces } from './piece-bitmap.ts';
import { type GrowingHash, PrefixHasher } from './prefix-hasher.ts';
import { Serial } from './serial.ts';
import { WriteQueue } from './write-queue.ts';

/** The bitmap is written at most so often while bytes arrive: each time costs a sync of the data. */
export const PIECES_SAVED_EVERY_MS = 1000;
/** Separate ranges in one download: more means a sender of crumbs. */
export const PARTIAL_RANGES_MAX = 65_536;

type End = 'kept' | 'gone';

export class DiskPartial implements Partial {
  readonly digest: Digest;
  readonly size: number;
  readonly pieceSizeBytes: number;
  readonly #deps: PartialsDeps;
  readonly #record: PartialRecord;
  readonly #handle: FileHandle;
  readonly #onClose: (end: End) => void;
  readonly #present: ByteRanges;
  readonly #queue: WriteQueue;
  readonly #serial = new Serial();
  readonly #stop = new AbortController();
  #hasher: GrowingHash;
  #catchingUp: Promise<void> | undefined;
  #saving: Promise<void> | undefined;
  /** Hashers that were given up. */
  #closing: Promise<unknown> = Promise.resolve();
  #savedBytes: number;
  #syncError: unknown;
  readonly #reads = new Set<Promise<number>>();
  #state: 'open' | 'closed' | 'blob' = 'open';

  constructor(
    deps: PartialsDeps,
    record: PartialRecord,
    how: { handle: FileHandle; present: ByteRanges; onClose: (end: End) => void },
  ) {
    this.#deps = deps;
    this.#record = record;
    this.digest = record.digest;
    this.size = record.size;
    this.pieceSizeBytes = record.pieceSizeBytes;
    this.#handle = how.handle;
    this.#present = how.present;
    this.#onClose = how.onClose;
    this.#savedBytes = how.present.bytes;
    this.#hasher = this.#createHasher();
    this.#queue = this.#createQueue();
    this.#catchUp().catch(() => undefined);
  }

  prefixBytes(): number {
    return this.#present.prefixBytes();
  }

  bytesPresent(): number {
    return this.#present.bytes;
  }

  missing(from: number): ByteRange | undefined {
    return this.#present.firstGap(Math.max(0, from), this.size);
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    this.#checkOpen('Write');
    const end = offset + bytes.length;
    if (!Number.isSafeInteger(offset) || offset < 0 || end > this.size) {
      throw new CodedError(
        'OUT_OF_RANGE',
        `Write of ${offset}–${end} lies outside of "${this.digest}" (${this.size} bytes)`,
      );
    }
    if (this.#present.count >= PARTIAL_RANGES_MAX && this.#present.firstGap(0, this.size)?.start !== offset) {
      throw new CodedError(
        'RESOURCE_EXHAUSTED',
        `Download of "${this.digest}" is in ${this.#present.count} parts already`,
      );
    }
    try {
      await this.#queue.write(offset, bytes);
    } catch (error) {
      throw fromErrno(error, `Write of "${this.digest}" at ${offset} failed`);
    }
  }

  async read(into: Uint8Array, offset: number): Promise<number> {
    const end = Math.min(this.size, offset + into.length);
    if (!Number.isSafeInteger(offset) || offset < 0 || !this.#present.covers(offset, end)) {
      throw new CodedError('OUT_OF_RANGE', `Read of ${offset}–${end} of "${this.digest}": some bytes are not here yet`);
    }
    if (offset >= end) return 0;
    if (this.#state === 'blob') return this.#readBlob(into, offset);
    this.#checkOpen('Read');
    const reading = readAt(this.#handle, into.subarray(0, end - offset), offset);
    this.#reads.add(reading);
    return reading.finally(() => this.#reads.delete(reading));
  }

  forget({ start, end }: ByteRange): Promise<void> {
    return this.#serial.run(async () => {
      this.#checkOpen('Forgetting bytes');
      await this.#queue.idle();
      this.#present.remove(start, end);
      this.#record.bytesPresent = this.#present.bytes;
      this.#savedBytes = -1;
      this.#saving ??= this.#saveSoon();
      if (start < this.#hasher.hashedBytes || this.#catchingUp !== undefined) this.#hashAnew();
    });
  }

  commit(holds: ReadonlySet<DirectHold>): Promise<void> {
    return this.#serial.run(async () => {
      this.#checkOpen('Commit');
      await this.#queue.idle();
      if (this.#present.bytes < this.size) {
        const counts = `${this.#present.bytes} of ${this.size} bytes are here`;
        throw new CodedError('FAILED_PRECONDITION', `Commit of "${this.digest}" came too early: ${counts}`);
      }
      await this.#catchUp();
      await this.#prove();
      await this.#makeBlob(holds);
    });
  }

  close(): Promise<void> {
    return this.#serial.run(async () => {
      if (this.#state !== 'open') return;
      this.#state = 'closed';
      this.#stop.abort();
      await this.#queue.idle();
      await this.#saving;
      await this.#save().catch((error: unknown) => this.#deps.telemetry.aside('pieces', error));
      // After a failed sync nobody knows what the disk holds, and the next opener's sync would not tell.
      await this.#end(this.#syncError === undefined ? 'kept' : 'gone');
    });
  }

  discard(): Promise<void> {
    return this.#serial.run(async () => {
      if (this.#state !== 'open') return;
      this.#state = 'closed';
      await this.#end('gone');
    });
  }

  #createQueue(): WriteQueue {
    return new WriteQueue({
      handle: this.#handle,
      present: this.#present,
      onWriting: (offset, bytes) => this.#hasher.offer(offset, bytes),
      onWritten: () => this.#noteWritten(),
      onFailed: () => this.#hashAnew(),
    });
  }

  /** What the hash has heard may not be in the file, or not any more. */
  #hashAnew(): void {
    this.#closing = Promise.all([this.#closing, this.#hasher.close()]);
    this.#hasher = this.#createHasher();
    this.#catchingUp = undefined;
  }

  #createHasher(): GrowingHash {
    return this.size < FILE_HASHER_BYTES_MIN ? new PrefixHasher(this.#deps.turns) : new FileHasher(this.#handle.fd);
  }

  #checkOpen(what: string): void {
    if (this.#state === 'open') return;
    throw new CodedError('FAILED_PRECONDITION', `${what} of "${this.digest}" after its download was closed`);
  }

  #noteWritten(): void {
    this.#record.bytesPresent = this.#present.bytes;
    this.#record.usedAtMs = this.#deps.now();
    if (this.prefixBytes() > this.#hasher.hashedBytes + this.#hasher.lagBytes) this.#catchUp().catch(() => undefined);
    this.#saving ??= this.#saveSoon();
  }

  /** Reads back what came before its turn, as the prefix grows past it. */
  #catchUp(): Promise<void> {
    const hasher = this.#hasher;
    if (this.#catchingUp !== undefined) return this.#catchingUp;
    if (hasher.hashedBytes >= this.prefixBytes()) return Promise.resolve();
    const running = hasher
      .catchUp(
        (into, offset) => readAt(this.#handle, into, offset),
        () => (hasher === this.#hasher && this.#state === 'open' ? this.prefixBytes() : 0),
      )
      .finally(() => {
        if (this.#catchingUp === running) this.#catchingUp = undefined;
      });
    this.#catchingUp = running;
    return running;
  }

  async #saveSoon(): Promise<void> {
    try {
      await this.#deps.clock.sleep(PIECES_SAVED_EVERY_MS, { signal: this.#stop.signal });
      if (this.#state === 'open') await this.#save();
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#deps.telemetry.aside('pieces', error);
    } finally {
      this.#saving = undefined;
    }
  }

  async #save(): Promise<void> {
    if (this.#present.bytes === this.#savedBytes) return;
    const bytes = this.#present.bytes;
    const bits = wholePieces(this.#present, this.size, this.pieceSizeBytes);
    await this.#sync(() => this.#handle.datasync());
    const pieces = { sizeBytes: this.size, pieceSizeBytes: this.pieceSizeBytes, bits };
    await writePieces(this.#record.directory, pieces, this.#deps.trash.freshPath());
    this.#savedBytes = bytes;
  }

  async #prove(): Promise<void> {
    const got = await this.#hasher.digest();
    if (got === this.digest) return;
    this.#deps.telemetry.wrongDigest({ wanted: this.digest, got });
    this.#state = 'closed';
    await this.#end('gone');
    throw new CodedError('DATA_LOSS', `Download of "${this.digest}" has the digest "${got}" and was thrown away`);
  }

  /** The kernel tells of a lost write once only, so a failed sync is remembered. */
  async #sync(sync: () => Promise<void>): Promise<void> {
    try {
      await sync();
    } catch (error) {
      this.#syncError ??= error;
    }
    if (this.#syncError !== undefined) throw this.#syncError;
  }

  async #makeBlob(holds: ReadonlySet<DirectHold>): Promise<void> {
    const ordered = (['containerd', 'cache'] as const).filter((hold) => holds.has(hold));
    if (ordered.length === 0) throw new CodedError('INVALID_ARGUMENT', `Commit of "${this.digest}" names no hold`);
    await this.#syncOrGiveUp();
    const directories = await this.#publish(ordered);
    this.#state = 'blob';
    await this.#end('gone');
    for (const directory of directories) await this.#deps.syncer.sync(directory);
    this.#deps.onBlob();
  }

  /** After a failed sync nobody knows what the disk holds: the download begins again from nothing. */
  async #syncOrGiveUp(): Promise<void> {
    try {
      await this.#sync(() => this.#handle.sync());
    } catch (error) {
      this.#state = 'closed';
      await this.#end('gone');
      throw fromErrno(error, `Sync of "${this.digest}" failed and its bytes were given up`);
    }
  }

  /** Returns the directories to sync. A blob that was written by other hands meanwhile only gets its holds. */
  async #publish(holds: readonly DirectHold[]): Promise<string[]> {
    const { blobs, index, layout } = this.#deps;
    if (index.stat(this.digest) !== undefined) {
      for (const hold of holds) blobs.linkHold(this.digest, hold);
      return holds.map((hold) => layout.holdDirectory(hold));
    }
    const nowMs = this.#deps.now();
    try {
      await this.#handle.chmod(0o444);
      await this.#handle.utimes(nowMs / 1000, nowMs / 1000);
    } catch (error) {
      throw fromErrno(error, `Commit of "${this.digest}" failed`);
    }
    const facts = { size: this.size, createdAtMs: nowMs, usedAtMs: nowMs };
    return blobs.publish(partialDataPath(this.#record.directory), { digest: this.digest, facts }, holds);
  }

  async #end(end: End): Promise<void> {
    this.#stop.abort();
    await this.#queue.idle();
    await this.#saving;
    await Promise.allSettled([...this.#reads, this.#closing, this.#hasher.close()]);
    this.#onClose(end);
    await this.#handle.close();
  }

  /** Readers that did not yet notice the commit go on; the blob's own `open` is cheaper for the rest. */
  async #readBlob(into: Uint8Array, offset: number): Promise<number> {
    const blob = await this.#deps.blobs.open(this.digest);
    try {
      return await blob.read(into, offset);
    } finally {
      await blob.close();
    }
  }
}
