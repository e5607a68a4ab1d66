/**
 * Asking sources ahead of time, in their order: what members of the fleet have is not asked of a registry. One that cannot
 * say holds up the next only for a while.
 */
import type { Digest } from '../../core/oci/digest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { BlobSource, Want } from './blob-source.ts';

/** Nodes of a fleet answer in a round trip, or are passed over by then, milliseconds. */
export const HEAD_START_MS = 1_000;
/** Blobs asked about at once in this way; for those beyond it every source is asked at the same time. */
const ASKED_MAX = 4_096;

export class AskAhead {
  readonly #sources: readonly BlobSource[];
  readonly #clock: Clock;
  readonly #asking = new Set<Digest>();

  constructor(sources: readonly BlobSource[], clock: Clock) {
    this.#sources = sources;
    this.#clock = clock;
  }

  ask(want: Want): void {
    if (this.#asking.has(want.digest)) return;
    if (this.#asking.size >= ASKED_MAX) {
      for (const source of this.#sources) source.prepare(want);
      return;
    }
    this.#asking.add(want.digest);
    this.#askFrom(0, want);
  }

  /** Goes on at once past a source that knows its answer. */
  #askFrom(first: number, want: Want): void {
    for (let at = first; at < this.#sources.length; at += 1) {
      const source = this.#sources[at];
      if (source === undefined) break;
      source.prepare(want);
      const route = source.route(want);
      if (route === 'yes') break;
      if (route === 'no' || at === this.#sources.length - 1) continue;
      void this.#settled(source, want).then(() => {
        if (source.route(want) === 'yes') this.#asking.delete(want.digest);
        else this.#askFrom(at + 1, want);
      });
      return;
    }
    this.#asking.delete(want.digest);
  }

  /** At the latest after the head start. Never rejects. */
  async #settled(source: BlobSource, want: Want): Promise<void> {
    const over = new AbortController();
    const late = this.#clock.sleep(HEAD_START_MS, { signal: over.signal }).catch(() => undefined);
    await Promise.race([source.settled(want, { signal: over.signal }).catch(() => late), late]);
    over.abort();
  }
}
