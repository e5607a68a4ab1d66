/**
 * Blobs being written by containerd: its ingests, in its own layout (`ingest/<hash of ref>/{data,ref,startedat,updatedat,total}`),
 * so that the built-in store can carry on with them. Semantics are those of containerd's `content.Ingester`.
 */
import type { Digest } from '../../core/oci/digest.ts';

export interface IngestStatus {
  readonly ref: string;
  /** Bytes written so far. */
  readonly offset: number;
  /** Bytes expected; 0 when not told. */
  readonly total: number;
  readonly startedAtMs: number;
  readonly updatedAtMs: number;
  /** What the writer said that it will be; containerd strips it, other clients may not. */
  readonly expected?: Digest;
}

export interface IngestStore {
  /**
   * Opens or resumes the ingest of `ref` and locks the ref until `close` or `commit`. Never hashes what is there
   * before it returns: containerd waits inside a database transaction.
   * @throws CodedError UNAVAILABLE when the ref is in use, ALREADY_EXISTS when `expected` is here and containerd's hold links it,
   *   INVALID_ARGUMENT for an empty or overlong ref, RESOURCE_EXHAUSTED above the limit of open refs or on a full disk
   */
  openIngest(ref: string, options?: { total?: number; expected?: Digest }): Promise<Ingest>;
  /** @throws CodedError NOT_FOUND */
  ingestStatus(ref: string): Promise<IngestStatus>;
  /** Every ingest on disk, running or left behind. */
  ingestStatuses(): Promise<IngestStatus[]>;
  /** Removes an ingest that is not locked, with its bytes. @throws CodedError NOT_FOUND, UNAVAILABLE when in use */
  abortIngest(ref: string): Promise<void>;
}

/** One locked ingest. Calls are made one after another. */
export interface Ingest {
  /** From memory. */
  status(): IngestStatus;
  /**
   * Appends at `status().offset`; hashed and written on the way, synced in the background as it arrives.
   * @throws CodedError RESOURCE_EXHAUSTED on a full disk (the ingest stays at its last whole offset)
   */
  append(bytes: Uint8Array): Promise<void>;
  /** Bytes of a running ingest, for other readers. Resolves with the bytes read. */
  read(into: Uint8Array, offset: number): Promise<number>;
  /** Starts again from nothing; containerd truncates to 0 only. @throws CodedError INVALID_ARGUMENT for another size */
  truncate(size: number): Promise<void>;
  setTotal(total: number): Promise<void>;
  /** The digest of everything written so far. */
  digest(): Promise<Digest>;
  /**
   * Proves size and digest, then makes the blob appear with containerd's hold: fsync, rename, fsync of the directory.
   * The ref is unlocked and its ingest gone afterwards; on a failed proof the ingest stays, as containerd leaves it.
   * @throws CodedError FAILED_PRECONDITION when size or digest differ; ALREADY_EXISTS when the blob is here already and
   *   containerd's hold linked it (the ingest is removed)
   */
  commit(options: { size?: number; expected?: Digest; labels?: ReadonlyMap<string, string> }): Promise<Digest>;
  /** Unlocks the ref and keeps what was written for a resume. */
  close(): Promise<void>;
}
