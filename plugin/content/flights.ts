/** Every running download, at most one for a blob. */
import type { Digest } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { BlobReader } from '../store/blob-store.ts';
import type { Want } from './blob-source.ts';
import type { Flight, FlightHold, FlightStatus } from './content.ts';
import { BlobFlight, type FlightDeps } from './flight.ts';

/** Downloads at once; each has an open file. Several images of the most layers that an image may have (127). */
export const FLIGHTS_MAX = 512;

export interface FlightsDeps extends FlightDeps {
  readonly store: FlightDeps['store'] & BlobReader;
  /** What readers may have had of this blob was wrong, or will not be completed: nothing of it may be kept. */
  readonly onGone: (digest: Digest, why: 'spoiled' | 'failed') => void;
}

export class Flights {
  readonly #deps: FlightsDeps;
  readonly #running = new Map<Digest, BlobFlight>();
  /** Every flight that has not closed its partial yet, those that run and those that were ended. */
  readonly #open = new Set<BlobFlight>();

  constructor(deps: FlightsDeps) {
    this.#deps = deps;
  }

  get count(): number {
    return this.#open.size;
  }

  /** The flight that a reader can read from, if one runs. */
  get(digest: Digest): BlobFlight | undefined {
    const flight = this.#running.get(digest);
    return flight?.isRunning ? flight : undefined;
  }

  /** A flight whose readers may not go on from the disk yet, although the blob is whole there. */
  unsettled(digest: Digest): BlobFlight | undefined {
    const flight = this.#running.get(digest);
    return flight?.isUnsettled ? flight : undefined;
  }

  *statuses(): Iterable<FlightStatus> {
    for (const flight of this.#running.values()) if (flight.isRunning) yield flight.status();
  }

  /** Starts or joins a flight. */
  fetch(want: Want, hold: FlightHold, giveUpMs: number): Flight {
    const running = this.get(want.digest);
    if (running === undefined) return this.#begin(want, hold, giveUpMs);
    if (running.size !== want.size) {
      return failedFlight(emptyStatus(want, this.#deps.clock.now()), sizesDiffer(want, running.size));
    }
    running.join(want, hold, giveUpMs);
    return running;
  }

  /** It became whole by other hands: a flight ends well, and a download that an earlier one left behind is of no use. */
  arrived(digest: Digest): void {
    const flight = this.get(digest);
    // What windows hold of it was proven by nobody; from now on they read the blob.
    if (flight !== undefined) this.#deps.onGone(digest, 'failed');
    flight?.arrived();
    if (!this.#running.has(digest)) this.#dropLeftover(digest);
  }

  /** Ends every flight; what they have stays on disk. Resolves when all partials are closed. */
  async stop(): Promise<void> {
    const open = [...this.#open];
    for (const flight of open) flight.cancel(new CodedError('CANCELLED', 'Downloads stop because this node stops'));
    await Promise.allSettled(open.map((flight) => flight.done));
  }

  #begin(want: Want, hold: FlightHold, giveUpMs: number): Flight {
    const { digest } = want;
    if (this.#open.size >= FLIGHTS_MAX) {
      const full = new CodedError(
        'RESOURCE_EXHAUSTED',
        `Download of "${digest}" is refused: ${FLIGHTS_MAX} run already`,
      );
      return failedFlight({ ...emptyStatus(want, this.#deps.clock.now()), hadNoPlace: true }, full);
    }
    const after = this.#running.get(digest)?.done.catch(() => undefined);
    const onSpoiled = () => this.#deps.onGone(digest, 'spoiled');
    const flight = new BlobFlight(this.#deps, { want, giveUpMs, after, onSpoiled });
    flight.join(want, hold, giveUpMs);
    this.#running.set(digest, flight);
    this.#open.add(flight);
    flight.done.catch(() => this.#deps.onGone(digest, 'failed')).finally(() => this.#remove(digest, flight));
    return flight;
  }

  #remove(digest: Digest, flight: BlobFlight): void {
    this.#open.delete(flight);
    if (this.#running.get(digest) !== flight) return;
    this.#running.delete(digest);
    if (this.#deps.store.stat(digest) !== undefined) this.#dropLeftover(digest);
  }

  /** One that cannot be dropped now is dropped at the next start, or evicted before. */
  #dropLeftover(digest: Digest): void {
    this.#deps.store.dropPartial(digest).catch(() => undefined);
  }
}

/** A flight of a blob that is whole here already; `held` resolves when its hold would survive a power cut. */
export function landedFlight(want: Want, nowMs: number, held: Promise<void>): Flight {
  held.catch(() => undefined);
  const status = { ...emptyStatus(want, nowMs), bytesPresent: want.size };
  return { status: () => status, done: held };
}

function failedFlight(status: FlightStatus, error: CodedError): Flight {
  const done = Promise.reject(error);
  done.catch(() => undefined);
  return { status: () => status, done };
}

function emptyStatus({ digest, size }: Want, nowMs: number): FlightStatus {
  return { digest, size, bytesPresent: 0, readers: 0, startedAtMs: nowMs, lastByteAtMs: nowMs };
}

function sizesDiffer(want: Want, size: number): CodedError {
  return new CodedError(
    'FAILED_PRECONDITION',
    `Download of "${want.digest}" runs with ${size} bytes by one manifest, another says ${want.size}`,
  );
}
