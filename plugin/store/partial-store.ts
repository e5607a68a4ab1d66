/**
 * Downloads in progress: `shoal/partial/<hex>/{data,pieces}`, a file of the blob's full length and a bitmap of the pieces
 * that are whole in it. They resume after a restart. A partial becomes a blob only when its SHA-256 is its name.
 */
import type { Digest } from '../../core/oci/digest.ts';
import type { Hold } from './blob-store.ts';

/** Half-open byte range `[start, end)`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface PartialStore {
  /**
   * Opens, resumes or begins the download of a blob; one opener at a time. Room is made by eviction first.
   * @throws CodedError ALREADY_EXISTS when the blob is whole here, UNAVAILABLE when it is open already,
   *   RESOURCE_EXHAUSTED when `size` bytes would leave less than `min_free`
   */
  openPartial(digest: Digest, size: number): Promise<Partial>;
  /** Downloads left on disk, running or not. */
  partials(): Iterable<{ digest: Digest; size: number; bytesPresent: number }>;
  /** Throws a download that is not open away. */
  dropPartial(digest: Digest): Promise<void>;
}

export interface Partial {
  readonly digest: Digest;
  readonly size: number;
  readonly pieceSizeBytes: number;
  /** How many bytes from the start are there without a gap, counting bytes of unfinished pieces: what a reader may have. */
  prefixBytes(): number;
  bytesPresent(): number;
  /** The first gap at or after `from`; undefined when nothing is missing from there on. */
  missing(from: number): ByteRange | undefined;
  /**
   * Stores bytes at an offset; the buffer may be reused when the promise resolves. Ranges already present are ignored.
   * @throws CodedError OUT_OF_RANGE beyond the blob, RESOURCE_EXHAUSTED on a full disk
   */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Reads bytes that are present. @throws CodedError OUT_OF_RANGE when some of them are not */
  read(into: Uint8Array, offset: number): Promise<number>;
  /** Takes bytes out that turned out wrong: others may be written in their place. Resolves when they are no longer counted. */
  forget(range: ByteRange): Promise<void>;
  /**
   * Proves the whole by SHA-256 (hashed as the prefix grew, nothing is read twice when bytes came in order) and makes it a
   * blob with `holds`: fsync, rename, fsync of the directory.
   * @throws CodedError DATA_LOSS when the digest differs; nothing of it stays on disk then
   */
  commit(holds: ReadonlySet<Exclude<Hold, 'pin'>>): Promise<void>;
  /** Closes it and keeps what is there for later. */
  close(): Promise<void>;
  /** Closes it and removes everything. */
  discard(): Promise<void>;
}
