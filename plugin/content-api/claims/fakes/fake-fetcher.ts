/** The heart without bytes: routes and flights that a test settles by hand. */
import type { Digest } from '../../../../core/oci/digest.ts';
import type { Clock } from '../../../../core/runtime/clock.ts';
import { CodedError } from '../../../../core/runtime/errors.ts';
import type { Route, Want } from '../../../content/blob-source.ts';
import type { ContentFetcher, Flight, FlightStatus } from '../../../content/content.ts';

export class FakeFlight implements Flight {
  readonly want: Want;
  readonly done: Promise<void>;
  readonly giveUpMs: number | undefined;
  land: () => void = () => undefined;
  fail: (error: unknown) => void = () => undefined;
  readonly progress: { bytesPresent: number; lastByteAtMs: number };
  hadNoPlace = false;

  constructor(want: Want, nowMs: number, giveUpMs: number | undefined) {
    this.want = want;
    this.giveUpMs = giveUpMs;
    this.progress = { bytesPresent: 0, lastByteAtMs: nowMs };
    this.done = new Promise((resolve, reject) => {
      this.land = resolve;
      this.fail = reject;
    });
    this.done.catch(() => undefined);
  }

  status(): FlightStatus {
    const { digest, size } = this.want;
    return { digest, size, readers: 0, startedAtMs: 0, hadNoPlace: this.hadNoPlace, ...this.progress };
  }
}

export class FakeFetcher implements ContentFetcher {
  readonly routes = new Map<Digest, Route>();
  readonly prepared: Want[] = [];
  readonly flights: FakeFlight[] = [];
  readonly unwanted: Digest[] = [];
  readonly #waiting = new Set<{ digest: Digest; wake: () => void }>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sets a route and wakes who waits for it. */
  setRoute(digest: Digest, route: Route): void {
    this.routes.set(digest, route);
    for (const waiter of [...this.#waiting]) if (waiter.digest === digest && route !== 'asking') waiter.wake();
  }

  /** The youngest flight of a blob. */
  flightOf(digest: Digest): FakeFlight {
    const flight = this.flights.findLast(({ want }) => want.digest === digest);
    if (flight === undefined) throw new CodedError('NOT_FOUND', `No flight of "${digest}"`);
    return flight;
  }

  prepare(wants: readonly Want[]): void {
    this.prepared.push(...wants);
  }

  route(want: Want): Route {
    return this.routes.get(want.digest) ?? 'no';
  }

  settled(want: Want, { signal }: { signal: AbortSignal }): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.route(want) !== 'asking') return resolve();
      const waiter = { digest: want.digest, wake: resolve };
      this.#waiting.add(waiter);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }

  fetch(want: Want, _hold: 'containerd' | 'cache', options: { giveUpMs?: number } = {}): Flight {
    const flight = new FakeFlight(want, this.#clock.now(), options.giveUpMs);
    this.flights.push(flight);
    return flight;
  }

  unwant(digest: Digest): void {
    this.unwanted.push(digest);
  }

  arrived(): void {}
}
