/**
 * What comes and goes on this disk, for those who tell others of it: whole blobs, and bytes of blobs that are not whole
 * yet (a running download, or a Write of containerd whose digest is known).
 */
import type { Digest } from '../../core/oci/digest.ts';
import type { ByteRange } from './partial-store.ts';

/** Bytes of a blob that nobody has proven yet. */
export interface ArrivingBytes {
  /** `fetching`: a download of ours; `writing`: containerd writes it. */
  readonly state: 'fetching' | 'writing';
  /** Bytes of the whole. */
  readonly size: number;
  /** The first gap at or after `from`; undefined when nothing is missing from there on. */
  missing(from: number): ByteRange | undefined;
  /** Reads bytes that are there; fewer than asked only where they end. @throws CodedError when some are not there, or no more */
  read(into: Uint8Array, offset: number): Promise<number>;
}

export interface StoreWatch {
  /** From memory; of several the one that has most. Undefined when nobody downloads it now, nor has written a byte of it. */
  arriving(digest: Digest): ArrivingBytes | undefined;
  /**
   * Called after a blob became whole, began or ceased to arrive, or went, until the returned function is called; what
   * is there now is asked for. A listener must not throw.
   */
  onChange(listener: (digest: Digest) => void): () => void;
}
