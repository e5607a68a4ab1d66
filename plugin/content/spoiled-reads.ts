/**
 * Blobs of which readers got bytes that turned out wrong. containerd reads one blob by many small calls, so a reader that
 * began with wrong bytes could go on with right ones and never know: such calls fail until one begins at the start again.
 */
import type { Digest } from '../../core/oci/digest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';

/** The oldest is forgotten beyond it; each took a whole wrong download. */
const SPOILED_MAX = 1_024;
/** A reader that makes no call for so long is not in the middle of a blob, milliseconds. */
const SPOILED_MS = 60_000;

export class SpoiledReads {
  readonly #clock: Clock;
  /** When each was spoiled, oldest first. */
  readonly #spoiledAtMs = new Map<Digest, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(digest: Digest): void {
    this.#spoiledAtMs.delete(digest);
    this.#spoiledAtMs.set(digest, this.#clock.monotonicMs());
    const [oldest] = this.#spoiledAtMs.keys();
    if (oldest !== undefined && this.#spoiledAtMs.size > SPOILED_MAX) this.#spoiledAtMs.delete(oldest);
  }

  /** True when a read at `offset` would go on after wrong bytes. A read from the start clears it. */
  isSpoiled(digest: Digest, offset: number): boolean {
    // Asked for every read, and nearly always empty.
    if (this.#spoiledAtMs.size === 0) return false;
    const atMs = this.#spoiledAtMs.get(digest);
    if (atMs === undefined) return false;
    const isOver = offset === 0 || this.#clock.monotonicMs() - atMs > SPOILED_MS;
    if (isOver) this.#spoiledAtMs.delete(digest);
    return !isOver;
  }
}

export function spoiledError(digest: Digest): CodedError {
  return new CodedError(
    'DATA_LOSS',
    `Read of "${digest}" cannot go on: the bytes before were wrong, so it has to start again at 0`,
  );
}
