/**
 * A place other than this disk that bytes come from: peers, or origin registries. The heart asks its sources in order and
 * knows none of them by name; a source knows nothing of readers.
 */
import type { Digest } from '../../core/oci/digest.ts';
import type { Source } from '../../core/oci/source.ts';
import type { ByteRange } from '../store/partial-store.ts';

/** A blob that someone wants. */
export interface Want {
  readonly digest: Digest;
  /** Bytes, from a proven manifest or from a registry's answer. */
  readonly size: number;
  /** Repositories that are said to hold it, best first; may be empty. */
  readonly sources: readonly Source[];
}

/** Whether a source could bring a blob, as far as is known in memory now. */
export type Route = 'yes' | 'no' | 'asking';

/** What is still missing of a download, and where its bytes go. One sink may be filled by several sources at once. */
export interface FlightSink {
  readonly digest: Digest;
  readonly size: number;
  /** The gap to fill next, at most `maxBytes` of it: the one a reader waits for first, else the lowest. Undefined when nothing is missing. */
  nextGap(maxBytes?: number): ByteRange | undefined;
  /** The gap that a waiting reader needs first; undefined when none waits. Tells a running stream that it had better be elsewhere. */
  urgentGap(maxBytes?: number): ByteRange | undefined;
  /** Stores bytes; resolves when the next ones may come (back-pressure). The buffer may be reused then. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Bytes come, though none can be stored yet: what is held back until it is believed is no standstill. */
  moving?(): void;
  /** Bytes that this source brought are known to be wrong: they are missing again. */
  forget?(range: ByteRange): Promise<void>;
}

export interface BlobSource {
  /** As in metrics: `upstream`, `swarm`. */
  readonly name: string;
  /** Wrong wholes after which it is asked no more for a blob; default 2. One that finds out who was wrong is worth another try. */
  readonly strikesMax?: number;
  /** Finds out in the background whether this blob could be had, so that `route` can answer. Calling it again is cheap. */
  prepare(want: Want): void;
  /** From memory, at once. */
  route(want: Want): Route;
  /** Resolves when `route(want)` is not `asking` any more. */
  settled(want: Want, options: { signal: AbortSignal }): Promise<void>;
  /**
   * Fills the sink's gaps until none is left.
   * @throws CodedError when this source can bring nothing more: NOT_FOUND, UNAUTHENTICATED, PERMISSION_DENIED (a refusal: not
   *   to be asked again for this blob), RESOURCE_EXHAUSTED, UNAVAILABLE (may work later), DATA_LOSS (it sent wrong bytes)
   */
  fetch(want: Want, sink: FlightSink, options: { signal: AbortSignal }): Promise<void>;
  /** Told when bytes of this source made a whole that was not the digest. */
  sentWrongBytes(want: Want): void;
}
