/** Every ingest of one store: which exist, which are locked, and the hash states of those lately closed. */
import type { Digest } from '../../core/oci/digest.ts';
import { CodedError, errnoOf, fromErrno } from '../../core/runtime/errors.ts';
import type { Semaphore } from '../../core/runtime/semaphore.ts';
import { type Arrivals, WriteArrival } from './arrivals.ts';
import type { BlobIndex } from './blob-index.ts';
import type { DiskBlobs } from './disk-blobs.ts';
import { HandlePool } from './handle-pool.ts';
import { DiskIngest } from './ingest.ts';
import { createIngest, type IngestFacts, makeWritable, readIngests, writeTotal } from './ingest-files.ts';
import type { Ingest, IngestStatus } from './ingest-store.ts';
import type { LabelFiles } from './labels.ts';
import type { Layout } from './layout.ts';
import { PrefixHasher } from './prefix-hasher.ts';
import type { DirectorySyncer } from './sync-dir.ts';
import type { StoreTelemetry } from './telemetry.ts';
import type { Trash } from './trash.ts';

/** Refs locked at once. Each costs some hundred bytes of memory and no descriptor while it is idle. */
export const INGESTS_OPEN_MAX = 16_384;
/** Ingests on disk, running or left behind; containerd aborts those that it forgot. */
export const INGESTS_KEPT_MAX = 65_536;
/** Descriptors for ingests, so that many open refs leave enough for everything else. */
export const INGEST_HANDLES_MAX = 512;
/** Hash states of closed ingests kept in memory, so that a resume need not read the file again. */
export const CLOSED_HASHES_MAX = 128;
/** containerd's own refs are under 200 bytes. */
export const REF_BYTES_MAX = 4096;

/** One ingest in memory; changed by `Ingests` and by the `DiskIngest` that holds the lock. */
export interface IngestRecord extends IngestFacts {
  readonly directory: string;
  expected: Digest | undefined;
  isLocked: boolean;
}

export interface IngestsDeps {
  layout: Layout;
  index: BlobIndex;
  blobs: DiskBlobs;
  labels: LabelFiles;
  syncer: DirectorySyncer;
  trash: Trash;
  turns: Semaphore;
  telemetry: StoreTelemetry;
  arrivals: Arrivals;
  /** Milliseconds since the epoch with a fraction. */
  now: () => number;
  /** Tries to free so many bytes; false when there is nothing left to free. */
  freeSpace: (bytes: number) => Promise<boolean>;
}

export interface OpenIngestOptions {
  total?: number;
  expected?: Digest;
}

export class Ingests {
  readonly #deps: IngestsDeps;
  readonly #handles = new HandlePool(INGEST_HANDLES_MAX);
  readonly #records = new Map<string, IngestRecord>();
  readonly #open = new Map<string, DiskIngest>();
  readonly #closedHashes = new Map<string, PrefixHasher>();
  #lockedCount = 0;

  constructor(deps: IngestsDeps) {
    this.#deps = deps;
  }

  /** Reads the ingests on disk and removes what is none: the rest of a commit, of an abort, or of a kill while opening. */
  load(): void {
    for (const { directory, facts } of readIngests(this.#deps.layout.ingests)) {
      if (facts === undefined || this.#deps.layout.ingest(facts.ref) !== directory) this.#deps.trash.discard(directory);
      else this.#records.set(facts.ref, { ...facts, directory, expected: undefined, isLocked: false });
    }
  }

  get count(): number {
    return this.#records.size;
  }

  async open(ref: string, options: OpenIngestOptions = {}): Promise<Ingest> {
    checkOpen(ref, options);
    if (options.expected !== undefined) await this.#refuseExisting(options.expected);
    const known = this.#records.get(ref);
    if (known?.isLocked === true) throw new CodedError('UNAVAILABLE', `Ref "${ref}" is in use by another writer`);
    this.#checkRoom(known === undefined);
    const record = known ?? this.#newRecord(ref, options);
    record.isLocked = true;
    this.#lockedCount += 1;
    try {
      return this.#openLocked(record, { isNew: known === undefined, options });
    } catch (error) {
      // Half a directory is no ingest; whatever else failed, what was written before stays.
      if (record.offset === 0) this.#remove(record);
      this.#unlock(record);
      throw fromErrno(error, `Ingest of "${ref}" cannot be opened`);
    }
  }

  status(ref: string): IngestStatus {
    const record = this.#records.get(ref);
    if (record === undefined) throw new CodedError('NOT_FOUND', `Ref "${ref}" has no ingest`);
    return statusOf(record);
  }

  statuses(): IngestStatus[] {
    return [...this.#records.values()].map(statusOf);
  }

  abort(ref: string): void {
    const record = this.#records.get(ref);
    if (record === undefined) throw new CodedError('NOT_FOUND', `Ref "${ref}" has no ingest to abort`);
    if (record.isLocked) throw new CodedError('UNAVAILABLE', `Ref "${ref}" is in use and cannot be aborted`);
    this.#remove(record);
  }

  /** Closes everything that is open and keeps what was written. */
  async closeAll(): Promise<void> {
    await Promise.all([...this.#open.values()].map((ingest) => ingest.close()));
    await this.#handles.closeAll();
  }

  async #refuseExisting(expected: Digest): Promise<void> {
    const stat = this.#deps.index.stat(expected);
    if (stat === undefined) return;
    if (!stat.holds.has('containerd')) await this.#deps.blobs.hold(expected, 'containerd');
    throw new CodedError('ALREADY_EXISTS', `Blob "${expected}" is here already`);
  }

  #checkRoom(isNew: boolean): void {
    const isFull = this.#lockedCount >= INGESTS_OPEN_MAX || (isNew && this.#records.size >= INGESTS_KEPT_MAX);
    if (!isFull) return;
    const counts = `${this.#lockedCount} are open (at most ${INGESTS_OPEN_MAX}), ${this.#records.size} exist (at most ${INGESTS_KEPT_MAX})`;
    throw new CodedError('RESOURCE_EXHAUSTED', `Too many ingests: ${counts}`);
  }

  #newRecord(ref: string, options: OpenIngestOptions): IngestRecord {
    const now = this.#deps.now();
    const record: IngestRecord = {
      ref,
      directory: this.#deps.layout.ingest(ref),
      offset: 0,
      total: options.total ?? 0,
      startedAtMs: now,
      updatedAtMs: now,
      expected: options.expected,
      isLocked: false,
    };
    this.#records.set(ref, record);
    return record;
  }

  #openLocked(record: IngestRecord, how: { isNew: boolean; options: OpenIngestOptions }): DiskIngest {
    // Each writer says for itself what it will write: a lie of an earlier one must not bind those after it.
    record.expected = how.options.expected;
    if (how.isNew) createIngest(record.directory, record);
    else this.#prepareResume(record, how.options.total ?? 0);
    const hasher = this.#closedHashes.get(record.ref) ?? new PrefixHasher(this.#deps.turns);
    this.#closedHashes.delete(record.ref);
    const ingest = new DiskIngest({ ...this.#deps, handles: this.#handles }, record, {
      hasher,
      onBytes: () => arrival.changed(),
      onClose: (end, lastHasher) => {
        this.#closed(record, { end, hasher: lastHasher });
        arrival.end();
      },
    });
    this.#open.set(record.ref, ingest);
    const arrival = new WriteArrival(this.#deps.arrivals, ingest);
    return ingest;
  }

  /** A total that contradicts the earlier one means other content: containerd begins such an ingest again. */
  #prepareResume(record: IngestRecord, total: number): void {
    if (total > 0 && record.total > 0 && total !== record.total) {
      const now = this.#deps.now();
      Object.assign(record, { total, offset: 0, startedAtMs: now, updatedAtMs: now });
      this.#closedHashes.delete(record.ref);
      createIngest(record.directory, record);
      return;
    }
    this.#makeWritable(record);
    if (total > 0 && record.total === 0) {
      record.total = total;
      writeTotal(record.directory, total);
    }
  }

  /** Bytes that someone else removed are begun again. */
  #makeWritable(record: IngestRecord): void {
    try {
      makeWritable(record.directory);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      record.offset = 0;
      this.#closedHashes.delete(record.ref);
      createIngest(record.directory, record);
    }
  }

  #closed(record: IngestRecord, closed: { hasher: PrefixHasher; end: 'kept' | 'gone' }): void {
    this.#open.delete(record.ref);
    if (closed.end === 'gone') this.#remove(record);
    else this.#keepHash(record, closed.hasher);
    this.#unlock(record);
  }

  /** A hash that a read-back may still be feeding is of no use to the next opener. */
  #keepHash(record: IngestRecord, hasher: PrefixHasher): void {
    if (record.offset === 0 || hasher.hashedBytes !== record.offset) return;
    this.#closedHashes.set(record.ref, hasher);
    const [oldest] = this.#closedHashes.keys();
    if (this.#closedHashes.size > CLOSED_HASHES_MAX && oldest !== undefined) this.#closedHashes.delete(oldest);
  }

  #unlock(record: IngestRecord): void {
    record.isLocked = false;
    this.#lockedCount -= 1;
  }

  #remove(record: IngestRecord): void {
    this.#deps.trash.discard(record.directory);
    this.#records.delete(record.ref);
    this.#closedHashes.delete(record.ref);
  }
}

/** The limits that every implementation keeps. @throws CodedError INVALID_ARGUMENT */
export function checkOpen(ref: string, options: OpenIngestOptions): void {
  const bytes = Buffer.byteLength(ref);
  if (bytes === 0) throw new CodedError('INVALID_ARGUMENT', 'Ref must not be empty');
  if (bytes > REF_BYTES_MAX) {
    throw new CodedError(
      'INVALID_ARGUMENT',
      `Ref "${ref.slice(0, 100)}…" has ${bytes} bytes, at most ${REF_BYTES_MAX} fit`,
    );
  }
  checkTotal(ref, options.total ?? 0);
}

/** @throws CodedError INVALID_ARGUMENT */
export function checkTotal(ref: string, total: number): void {
  if (Number.isSafeInteger(total) && total >= 0) return;
  throw new CodedError('INVALID_ARGUMENT', `Total of "${ref}" is ${total}, which is no size`);
}

export function statusOf(record: IngestFacts & { expected?: Digest | undefined }): IngestStatus {
  const { ref, offset, total, startedAtMs, updatedAtMs, expected } = record;
  return { ref, offset, total, startedAtMs, updatedAtMs, ...(expected === undefined ? {} : { expected }) };
}
