/** The heart, put together: flights, reads and windows over one store and its sources. */

import type { Digest } from '../../core/oci/digest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { Logger } from '../../core/runtime/log.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';
import type { BlobHolder, BlobReader } from '../store/blob-store.ts';
import type { PartialStore } from '../store/partial-store.ts';
import { AskAhead } from './ask-ahead.ts';
import { BlobReads } from './blob-reads.ts';
import type { BlobSource, Route, Want } from './blob-source.ts';
import { GIVE_UP_MS, type Content, type Flight, type FlightHold } from './content.ts';
import { createContentEvents } from './events.ts';
import { Flights, landedFlight } from './flights.ts';
import { WINDOW_IDLE_MS } from './read-windows.ts';
import { SpoiledReads } from './spoiled-reads.ts';

export interface ContentDeps {
  readonly store: BlobReader & BlobHolder & PartialStore;
  /** In the order in which they are asked. */
  readonly sources: readonly BlobSource[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface ContentOptions {
  /** A flight without a new byte for so long fails, unless its fetch says otherwise. Default 60,000: `content.claim_give_up`'s. */
  readonly giveUpMs?: number;
}

/** Inert until started; reading and fetching work before, but idle windows are closed only while it runs. */
export function createContent(deps: ContentDeps, options: ContentOptions = {}): Content {
  const { store, sources, clock } = deps;
  const giveUpMs = options.giveUpMs ?? GIVE_UP_MS;
  const spoiled = new SpoiledReads(clock);
  const events = createContentEvents(deps, () => flights.count);
  const onGone = (digest: Digest, why: 'spoiled' | 'failed') => {
    if (why === 'spoiled') spoiled.add(digest);
    reads.windows.drop(digest);
  };
  const flights = new Flights({ store, sources, clock, events, onGone });
  const reads = new BlobReads({ store, flights, spoiled, clock, events });
  const ahead = new AskAhead(sources, clock);
  const upkeep = new Upkeep(clock, () => reads.windows.closeIdle());

  return {
    where: (digest) => reads.where(digest),
    readNow: (digest, offset, length) => reads.readNow(digest, offset, length),
    read: (digest, range, call) => reads.read(digest, range, call),
    prepare: (wants) => {
      for (const want of wants) ahead.ask(want);
    },
    route: (want) => bestRoute(sources, want),
    settled: async (want, call) => {
      await Promise.any(sources.map((source) => untilYes(source, want, call))).catch(() => undefined);
      call.signal.throwIfAborted();
    },
    fetch: (want: Want, hold: FlightHold, call = {}): Flight => {
      const patienceMs = call.giveUpMs ?? giveUpMs;
      if (store.stat(want.digest) === undefined) return flights.fetch(want, hold, patienceMs);
      // A flight that is about to end takes holds away that nobody wants: it has to know of this one.
      flights.get(want.digest)?.join(want, hold, patienceMs);
      store.touch(want.digest);
      return landedFlight(want, clock.now(), store.hold(want.digest, hold));
    },
    unwant: (digest, hold) => flights.get(digest)?.unwant(hold),
    arrived: (digest) => flights.arrived(digest),
    flights: () => flights.statuses(),
    start: async () => upkeep.start(),
    stop: async () => {
      upkeep.stop();
      await flights.stop();
      await reads.windows.closeAll();
    },
  };
}

function bestRoute(sources: readonly BlobSource[], want: Want): Route {
  const routes = new Set(sources.map((source) => source.route(want)));
  return (['yes', 'asking'] as const).find((route) => routes.has(route)) ?? 'no';
}

/** Resolves as soon as one source says yes; rejects when it says no. */
async function untilYes(source: BlobSource, want: Want, call: { signal: AbortSignal }): Promise<void> {
  await source.settled(want, call);
  if (source.route(want) !== 'yes') throw new Error('No route');
}

/** Closing idle windows now and then. */
class Upkeep {
  readonly #clock: Clock;
  readonly #work: () => void;
  #running: AbortController | undefined;

  constructor(clock: Clock, work: () => void) {
    this.#clock = clock;
    this.#work = work;
  }

  start(): void {
    this.#running ??= new AbortController();
    this.#loop(this.#running.signal).catch(() => undefined);
  }

  stop(): void {
    this.#running?.abort();
    this.#running = undefined;
  }

  /** Ends by the rejection of an aborted sleep. */
  async #loop(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#clock.sleep(WINDOW_IDLE_MS / 2, { signal });
      this.#work();
    }
  }
}
