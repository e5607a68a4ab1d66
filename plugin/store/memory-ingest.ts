/** Ingests of the memory store. */
import { type Digest, digestOf } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { Ingest, IngestStatus } from './ingest-store.ts';
import { type Arrivals, WriteArrival } from './arrivals.ts';
import { checkOpen, checkTotal, INGESTS_OPEN_MAX, type OpenIngestOptions, statusOf } from './ingests.ts';
import type { MemoryBlobs } from './memory-blobs.ts';

interface MemoryRecord {
  readonly ref: string;
  bytes: Buffer;
  offset: number;
  total: number;
  startedAtMs: number;
  updatedAtMs: number;
  expected: Digest | undefined;
  isLocked: boolean;
}

export interface MemoryIngestsDeps {
  blobs: MemoryBlobs;
  arrivals: Arrivals;
  now: () => number;
}

export class MemoryIngests {
  readonly #deps: MemoryIngestsDeps;
  readonly #records = new Map<string, MemoryRecord>();

  constructor(deps: MemoryIngestsDeps) {
    this.#deps = deps;
  }

  async open(ref: string, options: OpenIngestOptions = {}): Promise<Ingest> {
    checkOpen(ref, options);
    if (options.expected !== undefined) this.#refuseExisting(options.expected);
    const known = this.#records.get(ref);
    if (known?.isLocked === true) throw new CodedError('UNAVAILABLE', `Ref "${ref}" is in use by another writer`);
    if ([...this.#records.values()].filter((record) => record.isLocked).length >= INGESTS_OPEN_MAX) {
      throw new CodedError('RESOURCE_EXHAUSTED', `Too many ingests: ${INGESTS_OPEN_MAX} are open`);
    }
    const record = this.#recordFor(ref, options);
    record.isLocked = true;
    const ingest = new MemoryIngest(this.#deps, record, {
      forget: () => this.#records.delete(ref),
      onBytes: () => arrival.changed(),
      onClosed: () => arrival.end(),
    });
    const arrival = new WriteArrival(this.#deps.arrivals, ingest);
    return ingest;
  }

  status(ref: string): IngestStatus {
    return statusOf(this.#known(ref));
  }

  statuses(): IngestStatus[] {
    return [...this.#records.values()].map(statusOf);
  }

  abort(ref: string): void {
    if (this.#known(ref).isLocked) throw new CodedError('UNAVAILABLE', `Ref "${ref}" is in use and cannot be aborted`);
    this.#records.delete(ref);
  }

  #known(ref: string): MemoryRecord {
    const record = this.#records.get(ref);
    if (record === undefined) throw new CodedError('NOT_FOUND', `Ref "${ref}" has no ingest`);
    return record;
  }

  #refuseExisting(expected: Digest): void {
    if (this.#deps.blobs.index.stat(expected) === undefined) return;
    this.#deps.blobs.link(expected, { hold: 'containerd' });
    throw new CodedError('ALREADY_EXISTS', `Blob "${expected}" is here already`);
  }

  #recordFor(ref: string, options: OpenIngestOptions): MemoryRecord {
    const { total = 0, expected } = options;
    const known = this.#records.get(ref);
    const isOther = known !== undefined && total > 0 && known.total > 0 && total !== known.total;
    if (known !== undefined && !isOther) {
      known.expected = expected;
      if (known.total === 0) known.total = total;
      return known;
    }
    const now = this.#deps.now();
    const times = { startedAtMs: now, updatedAtMs: now };
    const record = { ref, bytes: Buffer.alloc(0), offset: 0, total, ...times, expected, isLocked: false };
    this.#records.set(ref, record);
    return record;
  }
}

interface MemoryIngestListener {
  forget(): void;
  onBytes(): void;
  onClosed(): void;
}

class MemoryIngest implements Ingest {
  readonly #deps: MemoryIngestsDeps;
  readonly #record: MemoryRecord;
  readonly #told: MemoryIngestListener;
  #isClosed = false;

  constructor(deps: MemoryIngestsDeps, record: MemoryRecord, told: MemoryIngestListener) {
    this.#deps = deps;
    this.#record = record;
    this.#told = told;
  }

  status(): IngestStatus {
    return statusOf(this.#record);
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#checkOpen('Append');
    this.#set(Buffer.concat([this.#record.bytes, bytes]));
    this.#told.onBytes();
  }

  async read(into: Uint8Array, offset: number): Promise<number> {
    if (offset < 0) return 0;
    const part = this.#record.bytes.subarray(offset, offset + into.length);
    into.set(part);
    return part.length;
  }

  async truncate(size: number): Promise<void> {
    this.#checkOpen('Truncate');
    if (size !== 0) throw new CodedError('INVALID_ARGUMENT', `Truncate to ${size} is not supported, only to 0`);
    this.#set(Buffer.alloc(0));
  }

  async setTotal(total: number): Promise<void> {
    this.#checkOpen('Total');
    checkTotal(this.#record.ref, total);
    this.#record.total = total;
  }

  async digest(): Promise<Digest> {
    return digestOf(this.#record.bytes);
  }

  async commit(options: Parameters<Ingest['commit']>[0]): Promise<Digest> {
    this.#checkOpen('Commit');
    await this.close();
    const { ref, bytes, expected } = this.#record;
    if (options.size !== undefined && options.size > 0 && options.size !== bytes.length) {
      throw new CodedError('FAILED_PRECONDITION', `Commit of "${ref}" has ${bytes.length} bytes, not ${options.size}`);
    }
    const digest = digestOf(bytes);
    const wanted = options.expected ?? expected;
    if (wanted !== undefined && wanted !== digest) {
      throw new CodedError('FAILED_PRECONDITION', `Commit of "${ref}" has the digest "${digest}", not "${wanted}"`);
    }
    this.#publish(digest, options.labels);
    return digest;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#record.isLocked = false;
    this.#told.onClosed();
  }

  #publish(digest: Digest, labels: ReadonlyMap<string, string> | undefined): void {
    const { blobs, now } = this.#deps;
    this.#told.forget();
    const isHere = blobs.index.stat(digest) !== undefined;
    blobs.publish(digest, this.#record.bytes, { holds: ['containerd'], nowMs: now() });
    if (isHere) throw new CodedError('ALREADY_EXISTS', `Blob "${digest}" is here already`);
    if (labels !== undefined && labels.size > 0) blobs.labels.set(digest, new Map(labels));
  }

  #checkOpen(what: string): void {
    if (!this.#isClosed) return;
    throw new CodedError('FAILED_PRECONDITION', `${what} of "${this.#record.ref}" after it was closed`);
  }

  #set(bytes: Buffer): void {
    this.#record.bytes = bytes;
    this.#record.offset = bytes.length;
    this.#record.updatedAtMs = this.#deps.now();
  }
}
