/**
 * Whole blobs on this disk, and the reasons to keep them. The file system is the database: a hold is a hard link, so a
 * crash can lose no bookkeeping. Every blob that this seam shows was proven by its SHA-256 when it was stored.
 */
import type { Digest } from '../../core/oci/digest.ts';

/**
 * A reason to keep a blob: `containerd` (its own `blobs/sha256/<hex>`), `cache` (`shoal/cache/<hex>`, evictable),
 * `pin` (at least one `shoal/pins/<name>/<hex>` that has not ended).
 */
export type Hold = 'containerd' | 'cache' | 'pin';

export interface BlobStat {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly holds: ReadonlySet<Hold>;
  /** When the bytes became whole here; milliseconds since the epoch (the file's mtime). */
  readonly createdAtMs: number;
  /** When it was last read or labelled; milliseconds since the epoch. Eviction takes the oldest first. */
  readonly usedAtMs: number;
}

/** Reading whole blobs. `stat` and `list` answer from memory, so they may be asked inside containerd's transaction. */
export interface BlobReader {
  /** Undefined when no hold keeps the blob here. */
  stat(digest: Digest): BlobStat | undefined;
  /** Every blob, or those that `hold` keeps. A snapshot: changes during the walk are not seen. */
  list(hold?: Hold): Iterable<BlobStat>;
  /**
   * Opens a blob's bytes; they stay readable until `close`, also when the blob is deleted meanwhile.
   * @throws CodedError NOT_FOUND when it is not here
   */
  open(digest: Digest): Promise<OpenBytes>;
  /** Notes that the blob was used now, for eviction's order. Cheap; written to disk now and then. */
  touch(digest: Digest): void;
}

/** Open bytes at offsets: a whole blob, or what is there of a running download. */
export interface OpenBytes {
  /** Bytes of the whole. */
  readonly size: number;
  /**
   * Reads into `into` from `offset`; resolves with how many bytes were read, fewer than asked only at the end.
   * One thread-pool hop, so callers read ahead in large steps.
   */
  read(into: Uint8Array, offset: number): Promise<number>;
  close(): Promise<void>;
}

/** Taking and ending holds. */
export interface BlobHolder {
  /**
   * Adds a hold to a blob that is here. The link exists when the call returns; the promise resolves when it would
   * survive a power cut.
   * @throws CodedError NOT_FOUND when the blob is not here
   */
  hold(digest: Digest, hold: 'containerd' | 'cache'): Promise<void>;
  /**
   * Ends containerd's hold: the cache keeps the blob (evictable) so that peers can go on reading it. With
   * `keep: false`, or where the cache has no room at all, only other holds keep it. Absent blobs are no error.
   */
  release(digest: Digest, hold: 'containerd' | 'cache', options?: { keep?: boolean }): Promise<void>;
  /** Removes every blob's use of the cache until at most `bytes` of it are left, least recently used first. */
  evictTo(bytes: number): Promise<number>;
}

/** Labels that containerd set through the plugin (its own live in its database and normally never come here). */
export interface LabelStore {
  labels(digest: Digest): ReadonlyMap<string, string>;
  /** Replaces all labels of a blob that is here. @throws CodedError NOT_FOUND */
  setLabels(digest: Digest, labels: ReadonlyMap<string, string>): Promise<void>;
}

/** A named warm pin: blobs kept until a time. Ends by itself. */
export interface PinStore {
  /** Pins blobs that are here; an existing pin of that name gets the later end. @throws CodedError NOT_FOUND */
  pin(name: string, digests: readonly Digest[], untilMs: number): Promise<void>;
  unpin(name: string): Promise<void>;
  pins(): Iterable<{ name: string; untilMs: number; digests: readonly Digest[] }>;
}
