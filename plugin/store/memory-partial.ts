/** Downloads of the memory store. */
import { type Digest, digestOf } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { Arrivals } from './arrivals.ts';
import { ByteRanges } from './byte-ranges.ts';
import type { DirectHold } from './disk-blobs.ts';
import type { MemoryBlobs } from './memory-blobs.ts';
import type { ByteRange, Partial } from './partial-store.ts';
import { arrivingPartial, checkPartialSize, PARTIALS_OPEN_MAX } from './partials.ts';
import { pieceSizeFor, rangesOfPieces, wholePieces } from './piece-bitmap.ts';

interface MemoryPartialRecord {
  readonly digest: Digest;
  readonly size: number;
  readonly bytes: Uint8Array;
  present: ByteRanges;
  usedAtMs: number;
  isOpen: boolean;
}

export interface MemoryPartialsDeps {
  blobs: MemoryBlobs;
  arrivals: Arrivals;
  now: () => number;
  onBlob: () => void;
}

export class MemoryPartials {
  readonly #deps: MemoryPartialsDeps;
  readonly #records = new Map<Digest, MemoryPartialRecord>();

  constructor(deps: MemoryPartialsDeps) {
    this.#deps = deps;
  }

  open(digest: Digest, size: number): Partial {
    checkPartialSize(digest, size);
    if (this.#deps.blobs.index.stat(digest) !== undefined) {
      throw new CodedError('ALREADY_EXISTS', `Blob "${digest}" is whole here already`);
    }
    const known = this.#records.get(digest);
    if (known?.isOpen === true) throw new CodedError('UNAVAILABLE', `Download of "${digest}" is open already`);
    if (this.list().length - this.idle().length >= PARTIALS_OPEN_MAX) {
      throw new CodedError('RESOURCE_EXHAUSTED', `Download of "${digest}" refused: too many are open already`);
    }
    const record = known?.size === size ? known : this.#create(digest, size);
    record.isOpen = true;
    const partial = new MemoryPartial(this.#deps, record, {
      forget: () => this.#records.delete(digest),
      onClosed: () => ceased(),
    });
    const ceased = this.#deps.arrivals.begin(digest, arrivingPartial(partial));
    return partial;
  }

  list(): Array<{ digest: Digest; size: number; bytesPresent: number }> {
    return [...this.#records.values()].map(({ digest, size, present }) => ({
      digest,
      size,
      bytesPresent: present.bytes,
    }));
  }

  /** Downloads that are not open. */
  idle(): Array<{ digest: Digest; bytesPresent: number; usedAtMs: number }> {
    const idle = [...this.#records.values()].filter((record) => !record.isOpen);
    return idle.map(({ digest, present, usedAtMs }) => ({ digest, bytesPresent: present.bytes, usedAtMs }));
  }

  drop(digest: Digest): void {
    if (this.#records.get(digest)?.isOpen === true) {
      throw new CodedError('UNAVAILABLE', `Download of "${digest}" is open and cannot be dropped`);
    }
    this.#records.delete(digest);
  }

  #create(digest: Digest, size: number): MemoryPartialRecord {
    const bytes = new Uint8Array(size);
    const record = { digest, size, bytes, present: new ByteRanges(), usedAtMs: this.#deps.now(), isOpen: false };
    this.#records.set(digest, record);
    return record;
  }
}

class MemoryPartial implements Partial {
  readonly digest: Digest;
  readonly size: number;
  readonly pieceSizeBytes: number;
  readonly #deps: MemoryPartialsDeps;
  readonly #record: MemoryPartialRecord;
  readonly #end: { forget: () => void; onClosed: () => void };
  #state: 'open' | 'closed' | 'blob' = 'open';

  constructor(
    deps: MemoryPartialsDeps,
    record: MemoryPartialRecord,
    end: { forget: () => void; onClosed: () => void },
  ) {
    this.#deps = deps;
    this.#record = record;
    this.#end = end;
    this.digest = record.digest;
    this.size = record.size;
    this.pieceSizeBytes = pieceSizeFor(record.size);
  }

  prefixBytes(): number {
    return this.#record.present.prefixBytes();
  }

  bytesPresent(): number {
    return this.#record.present.bytes;
  }

  missing(from: number): ByteRange | undefined {
    return this.#record.present.firstGap(Math.max(0, from), this.size);
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    this.#checkOpen('Write');
    const end = offset + bytes.length;
    if (!Number.isSafeInteger(offset) || offset < 0 || end > this.size) {
      throw new CodedError('OUT_OF_RANGE', `Write of ${offset}–${end} lies outside of "${this.digest}"`);
    }
    const { present } = this.#record;
    for (let gap = present.firstGap(offset, end); gap !== undefined; gap = present.firstGap(offset, end)) {
      this.#record.bytes.set(bytes.subarray(gap.start - offset, gap.end - offset), gap.start);
      present.add(gap.start, gap.end);
    }
    this.#record.usedAtMs = this.#deps.now();
  }

  async read(into: Uint8Array, offset: number): Promise<number> {
    const end = Math.min(this.size, offset + into.length);
    if (!Number.isSafeInteger(offset) || offset < 0 || !this.#record.present.covers(offset, end)) {
      throw new CodedError('OUT_OF_RANGE', `Read of ${offset}–${end} of "${this.digest}": some bytes are not here yet`);
    }
    if (this.#state === 'closed') this.#checkOpen('Read');
    const part = this.#record.bytes.subarray(offset, end);
    into.set(part);
    return part.length;
  }

  async forget({ start, end }: ByteRange): Promise<void> {
    this.#checkOpen('Forgetting bytes');
    this.#record.present.remove(start, end);
  }

  async commit(holds: ReadonlySet<DirectHold>): Promise<void> {
    this.#checkOpen('Commit');
    if (this.bytesPresent() < this.size) {
      throw new CodedError('FAILED_PRECONDITION', `Commit of "${this.digest}" came too early`);
    }
    if (digestOf(this.#record.bytes) !== this.digest) {
      await this.discard();
      throw new CodedError('DATA_LOSS', `Download of "${this.digest}" has another digest and was thrown away`);
    }
    if (holds.size === 0) throw new CodedError('INVALID_ARGUMENT', `Commit of "${this.digest}" names no hold`);
    this.#state = 'blob';
    this.#end.forget();
    this.#deps.blobs.publish(this.digest, this.#record.bytes, { holds: [...holds], nowMs: this.#deps.now() });
    this.#end.onClosed();
    this.#deps.onBlob();
  }

  /** Only whole pieces are kept, as the bitmap on disk would. */
  async close(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    const { size: sizeBytes, pieceSizeBytes } = this;
    const bits = wholePieces(this.#record.present, sizeBytes, pieceSizeBytes);
    this.#record.present = rangesOfPieces({ sizeBytes, pieceSizeBytes, bits });
    this.#record.isOpen = false;
    this.#end.onClosed();
  }

  async discard(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    this.#end.forget();
    this.#end.onClosed();
  }

  #checkOpen(what: string): void {
    if (this.#state === 'open') return;
    throw new CodedError('FAILED_PRECONDITION', `${what} of "${this.digest}" after its download was closed`);
  }
}
