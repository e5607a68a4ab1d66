/**
 * The heart: one place to ask for a blob's bytes. Disk first, then the sources in their order; many readers share one
 * flight; bytes reach readers while they arrive, the last of them only when the whole is proven.
 */
import type { Digest } from '../../core/oci/digest.ts';
import type { Service } from '../../core/runtime/lifecycle.ts';
import type { Route, Want } from './blob-source.ts';

/** A flight without a new byte for so long fails, unless told otherwise; `content.claim_give_up` says it for a node. Milliseconds. */
export const GIVE_UP_MS = 60_000;

/** A hold that a finished flight gives its blob. */
export type FlightHold = 'containerd' | 'cache';

export interface FlightStatus {
  readonly digest: Digest;
  readonly size: number;
  readonly bytesPresent: number;
  readonly readers: number;
  readonly startedAtMs: number;
  /** When the last new byte arrived; the start when none has. */
  readonly lastByteAtMs: number;
  /** The source at work now. */
  readonly source?: string;
  /** Nothing was tried: as many downloads as may run were running. */
  readonly hadNoPlace?: boolean;
}

/** One running download with all its readers. */
export interface Flight {
  status(): FlightStatus;
  /** Resolves when the blob is whole, proven and kept; rejects when every source has failed or nobody wants it any more. Observed inside, so it may be ignored. */
  readonly done: Promise<void>;
}

export interface ReadRange {
  /** First byte; 0 when absent. */
  offset?: number;
  /** Bytes; up to the end when absent. */
  length?: number;
}

/** Reading. */
export interface ContentReader {
  /** Where a blob's bytes would come from now. */
  where(digest: Digest): { place: 'disk' | 'flight'; size: number } | undefined;
  /**
   * The hot path of unpacking: the bytes when they lie in memory now, whole range only; undefined when they have to be
   * waited for. The buffer is the caller's to send, not to write to.
   */
  readNow(digest: Digest, offset: number, length: number): Uint8Array | undefined;
  /**
   * The range in chunks of at most 1 MiB, from the disk or from the running flight as bytes arrive. A chunk holds its bytes until
   * the next one is asked for; who keeps it copies it.
   * @throws CodedError NOT_FOUND (neither here nor arriving), OUT_OF_RANGE (offset beyond the size, or negative), and what made the flight fail
   */
  read(digest: Digest, range: ReadRange, options: { signal: AbortSignal }): AsyncIterable<Uint8Array>;
}

/** Getting blobs here. */
export interface ContentFetcher {
  /** Asks every source ahead of time whether it could bring these. */
  prepare(wants: readonly Want[]): void;
  /** The best answer of all sources, from memory. */
  route(want: Want): Route;
  /** Resolves when `route(want)` is not `asking` any more, or rejects when the signal aborts. */
  settled(want: Want, options: { signal: AbortSignal }): Promise<void>;
  /**
   * Starts or joins the flight of a blob; when it is whole here already, only the hold is added.
   * `giveUpMs`: without a new byte for so long the flight fails with UNAVAILABLE.
   */
  fetch(want: Want, hold: FlightHold, options?: { giveUpMs?: number }): Flight;
  /**
   * Takes a hold's interest in a running flight back, as often for the cache as it was fetched for it; the flight ends when
   * nobody is left who wants or reads it.
   */
  unwant(digest: Digest, hold: FlightHold): void;
  /** The blob became whole by other hands (containerd wrote it): its flight ends well and its readers go on from the disk. */
  arrived(digest: Digest): void;
}

export interface Content extends Service, ContentReader, ContentFetcher {
  flights(): Iterable<FlightStatus>;
}
