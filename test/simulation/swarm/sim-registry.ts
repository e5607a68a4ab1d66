/** The source in a simulation: one link, one blob, an access log, and ways to fail. */
import { CodedError } from '../../../core/runtime/errors.ts';
import type { FlightSink, Route, Want } from '../../../plugin/content/blob-source.ts';
import type { Origin } from '../../../plugin/swarm/swarm.ts';
import type { SimClock } from './sim-clock.ts';
import { SimLink, type SimNetwork, type SimPort } from './sim-network.ts';

/** From a request to the first byte where nothing else is said, milliseconds. */
const DELAY_MS = 2;

export interface SimRegistryDeps {
  readonly clock: SimClock;
  readonly network: SimNetwork;
  readonly blob: Uint8Array;
  readonly bytesPerMs: number;
  readonly delayMs: number | undefined;
}

export class SimRegistry {
  readonly #clock: SimClock;
  readonly #network: SimNetwork;
  readonly #blob: Uint8Array;
  readonly #delayMs: number;
  readonly link: SimLink;
  isStopped = false;
  /** Bytes that left it. */
  bytes = 0;
  requests = 0;

  constructor(deps: SimRegistryDeps) {
    this.#clock = deps.clock;
    this.#network = deps.network;
    this.#blob = deps.blob;
    this.#delayMs = deps.delayMs ?? DELAY_MS;
    this.link = new SimLink(deps.bytesPerMs);
  }

  /** As one node sees it; `spoil` changes what arrives there. */
  seenBy(port: SimPort, how: { canRead: () => boolean; spoil?: (bytes: Uint8Array) => Uint8Array }): Origin {
    const route = (): Route => (how.canRead() ? 'yes' : 'no');
    const keep = (bytes: Uint8Array) => bytes;
    return {
      route,
      prepare: () => undefined,
      settled: async () => undefined,
      fetch: (_want: Want, sink: FlightSink, { signal }) =>
        this.#fill(port, sink, { signal, spoil: how.spoil ?? keep }),
    };
  }

  async #fill(
    port: SimPort,
    sink: FlightSink,
    { signal, spoil }: { signal: AbortSignal; spoil: (bytes: Uint8Array) => Uint8Array },
  ): Promise<void> {
    for (let gap = sink.nextGap(); gap !== undefined; gap = sink.nextGap()) {
      this.requests += 1;
      await this.#clock.sleep(this.#delayMs);
      const check = () => {
        signal.throwIfAborted();
        if (this.isStopped || port.isDead) throw new CodedError('UNAVAILABLE', 'Registry does not answer');
      };
      check();
      let at = gap.start;
      const take = async (bytes: Uint8Array) => {
        await sink.write(at, spoil(bytes));
        this.bytes += bytes.length;
        at += bytes.length;
      };
      const pending: Promise<void>[] = [];
      const links = { up: this.link, down: port.down };
      await this.#network.move(links, this.#blob.subarray(gap.start, gap.end), { take, check, pending });
      await Promise.all(pending);
    }
  }
}
