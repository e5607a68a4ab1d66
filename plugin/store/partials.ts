/** Every download of one store: those open, and those left on disk for later. */
import type { Digest } from '../../core/oci/digest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError, fromErrno } from '../../core/runtime/errors.ts';
import type { Semaphore } from '../../core/runtime/semaphore.ts';
import type { Arrivals } from './arrivals.ts';
import type { BlobIndex } from './blob-index.ts';
import { ByteRanges } from './byte-ranges.ts';
import type { DiskBlobs } from './disk-blobs.ts';
import type { Layout } from './layout.ts';
import { DiskPartial } from './partial.ts';
import { createPartial, openPartialData, type PartialFacts, readPartials } from './partial-files.ts';
import type { Partial } from './partial-store.ts';
import { type PieceRecord, pieceSizeFor, rangesOfPieces, wholePieces } from './piece-bitmap.ts';
import type { ArrivingBytes } from './store-watch.ts';
import type { DirectorySyncer } from './sync-dir.ts';
import type { StoreTelemetry } from './telemetry.ts';
import type { Trash } from './trash.ts';

/** Downloads open at once; each has a descriptor. */
export const PARTIALS_OPEN_MAX = 512;

/** One download in memory; changed by `Partials` and by the `DiskPartial` that is open. */
export interface PartialRecord {
  readonly digest: Digest;
  readonly directory: string;
  readonly size: number;
  readonly pieceSizeBytes: number;
  bytesPresent: number;
  usedAtMs: number;
  isOpen: boolean;
  /** What the `pieces` file said; given up when the download is opened. */
  loaded: PieceRecord | undefined;
}

export interface PartialsDeps {
  layout: Layout;
  index: BlobIndex;
  blobs: DiskBlobs;
  syncer: DirectorySyncer;
  trash: Trash;
  turns: Semaphore;
  telemetry: StoreTelemetry;
  arrivals: Arrivals;
  clock: Clock;
  now: () => number;
  /** `onRoom` is called at once when there is room. @throws CodedError RESOURCE_EXHAUSTED when so many bytes do not fit */
  makeRoom: (bytes: number, onRoom: () => void) => Promise<void>;
  /** A download became a blob. */
  onBlob: () => void;
}

export class Partials {
  readonly #deps: PartialsDeps;
  readonly #records = new Map<Digest, PartialRecord>();
  readonly #open = new Map<Digest, DiskPartial>();
  /** Those being opened, with the bytes that they were given room for. */
  readonly #opening = new Map<Digest, number>();

  constructor(deps: PartialsDeps) {
    this.#deps = deps;
  }

  /** Reads the downloads on disk and removes what is none, or whose blob is whole already. */
  load(): void {
    for (const { directory, facts } of readPartials(this.#deps.layout.partials)) {
      if (facts === undefined || this.#deps.index.stat(facts.digest) !== undefined) this.#deps.trash.discard(directory);
      else this.#records.set(facts.digest, recordOf(directory, facts));
    }
  }

  list(): PartialRecord[] {
    return [...this.#records.values()];
  }

  /** Bytes that downloads which are open, or being opened, have still to write. */
  get promisedBytes(): number {
    let bytes = 0;
    for (const given of this.#opening.values()) bytes += given;
    for (const record of this.#records.values()) if (record.isOpen) bytes += record.size - record.bytesPresent;
    return bytes;
  }

  async open(digest: Digest, size: number): Promise<Partial> {
    this.#checkOpen(digest, size);
    this.#opening.set(digest, 0);
    try {
      return await this.#openChecked(digest, size);
    } catch (error) {
      throw fromErrno(error, `Download of "${digest}" cannot be opened`);
    } finally {
      this.#opening.delete(digest);
    }
  }

  /** Throws away a download that is not open. Absent ones are no error. @throws CodedError UNAVAILABLE when it is open */
  drop(digest: Digest): void {
    const record = this.#records.get(digest);
    if (record === undefined) return;
    if (record.isOpen || this.#opening.has(digest)) {
      throw new CodedError('UNAVAILABLE', `Download of "${digest}" is open and cannot be dropped`);
    }
    this.#remove(record);
  }

  /** Closes everything that is open and keeps what is there. */
  async closeAll(): Promise<void> {
    await Promise.all([...this.#open.values()].map((partial) => partial.close()));
  }

  #checkOpen(digest: Digest, size: number): void {
    checkPartialSize(digest, size);
    if (this.#deps.index.stat(digest) !== undefined) {
      throw new CodedError('ALREADY_EXISTS', `Blob "${digest}" is whole here already`);
    }
    if (this.#open.has(digest) || this.#opening.has(digest)) {
      throw new CodedError('UNAVAILABLE', `Download of "${digest}" is open already`);
    }
    if (this.#open.size + this.#opening.size >= PARTIALS_OPEN_MAX) {
      throw new CodedError(
        'RESOURCE_EXHAUSTED',
        `Download of "${digest}" refused: ${PARTIALS_OPEN_MAX} are open already`,
      );
    }
  }

  async #openChecked(digest: Digest, size: number): Promise<DiskPartial> {
    const known = this.#records.get(digest);
    // The digest decides: a download begun for another size cannot become this blob.
    if (known !== undefined && known.size !== size) this.#remove(known);
    const resumed = this.#records.get(digest);
    const wanted = size - (resumed?.bytesPresent ?? 0);
    await this.#deps.makeRoom(wanted, () => this.#opening.set(digest, wanted));
    const record = resumed ?? (await this.#create(digest, size));
    const handle = await openPartialData(record.directory);
    const present = record.loaded === undefined ? new ByteRanges() : rangesOfPieces(record.loaded);
    Object.assign(record, { isOpen: true, loaded: undefined, bytesPresent: present.bytes });
    // From now on the record tells what is still to come.
    this.#opening.set(digest, 0);
    const partial = new DiskPartial(this.#deps, record, {
      handle,
      present,
      onClose: (end) => {
        this.#closed(record, end, present);
        ceased();
      },
    });
    this.#open.set(digest, partial);
    const ceased = this.#deps.arrivals.begin(digest, arrivingPartial(partial));
    return partial;
  }

  async #create(digest: Digest, size: number): Promise<PartialRecord> {
    const directory = this.#deps.layout.partial(digest);
    const pieceSizeBytes = pieceSizeFor(size);
    const bits = new Uint8Array(Math.ceil(Math.ceil(size / pieceSizeBytes) / 8));
    const pieces = { sizeBytes: size, pieceSizeBytes, bits };
    try {
      await createPartial(directory, pieces, this.#deps.trash.freshPath());
    } catch (error) {
      this.#deps.trash.discard(directory);
      throw error;
    }
    const record = recordOf(directory, { digest, pieces, usedAtMs: this.#deps.now() });
    this.#records.set(digest, record);
    return record;
  }

  #closed(record: PartialRecord, end: 'kept' | 'gone', present: ByteRanges): void {
    this.#open.delete(record.digest);
    record.isOpen = false;
    if (end === 'gone') {
      this.#remove(record);
      return;
    }
    const bits = wholePieces(present, record.size, record.pieceSizeBytes);
    record.loaded = { sizeBytes: record.size, pieceSizeBytes: record.pieceSizeBytes, bits };
    record.bytesPresent = rangesOfPieces(record.loaded).bytes;
  }

  #remove(record: PartialRecord): void {
    this.#deps.trash.discard(record.directory);
    this.#records.delete(record.digest);
  }
}

/** An open download as bytes that arrive. */
export function arrivingPartial(partial: Partial): ArrivingBytes {
  return {
    state: 'fetching',
    size: partial.size,
    missing: (from) => partial.missing(from),
    read: (into, offset) => partial.read(into, offset),
  };
}

/** @throws CodedError INVALID_ARGUMENT */
export function checkPartialSize(digest: Digest, size: number): void {
  if (Number.isSafeInteger(size) && size >= 0) return;
  throw new CodedError('INVALID_ARGUMENT', `Size of "${digest}" is ${size}, which no blob has`);
}

function recordOf(directory: string, facts: PartialFacts): PartialRecord {
  const { digest, pieces, usedAtMs } = facts;
  const { sizeBytes: size, pieceSizeBytes } = pieces;
  const bytesPresent = rangesOfPieces(pieces).bytes;
  return { digest, directory, size, pieceSizeBytes, bytesPresent, usedAtMs, isOpen: false, loaded: pieces };
}
