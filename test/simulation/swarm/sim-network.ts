/** A network in memory: links with rates, a latency, nodes that die. Bytes are real; time is the simulation's. */
import { CodedError } from '../../../core/runtime/errors.ts';
import type {
  PeerAddress,
  PeerCalls,
  PeerHandler,
  PeerMethod,
  PeerRanges,
  RangeOffers,
  RangeRequest,
} from '../../../plugin/peer/peer.ts';
import type { PeerService } from '../../../plugin/providers/providers.ts';
import type { SimClock } from './sim-clock.ts';

/** Chunks on their way at once in one stream. */
const WINDOW = 2;
/** What waits in front of a slow link, milliseconds. */
const QUEUE_MS = 200;
/** No grain takes longer than this on a slow link, milliseconds: streams that share one take turns as packets do. */
const GRAIN_MS = 100;
const OVER = new CodedError('CANCELLED', 'Range is over');

/** One direction of a node's link: bytes go one after another. */
export class SimLink {
  readonly bytesPerMs: number;
  #freeAtMs = 0;
  bytes = 0;

  constructor(bytesPerMs: number) {
    this.bytesPerMs = bytesPerMs;
  }

  /** Takes the link for some bytes, not before a time. @returns when they begin and when they have passed */
  reserve(bytes: number, fromMs: number): { startMs: number; endMs: number } {
    const startMs = Math.max(fromMs, this.#freeAtMs);
    this.#freeAtMs = startMs + bytes / this.bytesPerMs;
    this.bytes += bytes;
    return { startMs, endMs: this.#freeAtMs };
  }
}

export interface SimPort {
  readonly name: string;
  readonly up: SimLink;
  readonly down: SimLink;
  offers: RangeOffers | undefined;
  readonly handlers: Map<string, PeerHandler>;
  isDead: boolean;
}

export interface SimNetworkOptions {
  readonly latencyMs: number;
  /** Bytes moved as one: the grain of the simulation. */
  readonly grainBytes: number;
  /** Messages are written and read as on the wire. */
  readonly isExact: boolean;
}

export class SimNetwork {
  readonly #clock: SimClock;
  readonly #options: SimNetworkOptions;
  readonly #ports = new Map<string, SimPort>();
  calls = 0;
  /** Bytes between nodes, by `from>to`. */
  readonly moved = new Map<string, number>();

  constructor(clock: SimClock, options: SimNetworkOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  addPort(name: string, bytesPerMs: { up: number; down: number }): SimPort {
    const port: SimPort = {
      name,
      up: new SimLink(bytesPerMs.up),
      down: new SimLink(bytesPerMs.down),
      offers: undefined,
      handlers: new Map(),
      isDead: false,
    };
    this.#ports.set(name, port);
    return port;
  }

  serve(port: SimPort, offers: RangeOffers, services: readonly PeerService[]): void {
    port.offers = offers;
    for (const { method, handler } of services.flatMap(({ handlers }) => handlers))
      port.handlers.set(method.path, handler);
  }

  /** The network as one node sees it. */
  seenBy(port: SimPort): PeerCalls & PeerRanges {
    return {
      call: (peer, method, request, options) => this.#call(port, { peer, method, request, ...options }),
      readRange: (peer, request, take, { signal }) => this.#read(port, { peer, request, take, signal }),
    };
  }

  /** Moves bytes over two links in grains; `take` gets each as it arrives. */
  async move(
    links: { up: SimLink; down: SimLink },
    chunk: Uint8Array,
    how: { take: (bytes: Uint8Array) => Promise<void>; check: () => void; pending: Promise<void>[] },
  ): Promise<void> {
    const { latencyMs } = this.#options;
    const slowest = Math.min(links.up.bytesPerMs, links.down.bytesPerMs);
    const grainBytes = Math.max(1, Math.min(this.#options.grainBytes, Math.floor(slowest * GRAIN_MS)));
    for (let at = 0; at < chunk.length; at += grainBytes) {
      const grain = chunk.slice(at, at + grainBytes);
      const now = this.#clock.monotonicMs();
      const sent = links.up.reserve(grain.length, now);
      const got = links.down.reserve(grain.length, sent.startMs + latencyMs);
      const arrivesMs = Math.max(got.endMs, sent.endMs + latencyMs);
      const before = how.pending.at(-1);
      const arrival = this.#clock.sleep(arrivesMs - now).then(async () => {
        await before;
        how.check();
        await how.take(grain);
      });
      arrival.catch(() => undefined);
      how.pending.push(arrival);
      // A sender fills no more than a router's queue.
      await this.#clock.sleep(Math.max(sent.endMs, arrivesMs - QUEUE_MS) - now);
      while (how.pending.length >= WINDOW) await how.pending.shift();
      how.check();
    }
  }

  async #call(
    from: SimPort,
    to: { peer: PeerAddress; method: PeerMethod; request: object; signal: AbortSignal; deadlineMs: number },
  ): Promise<object> {
    this.calls += 1;
    const { latencyMs, isExact } = this.#options;
    const port = this.#ports.get(to.peer.name);
    const handler = port?.handlers.get(to.method.path);
    if (port === undefined || port.isDead || from.isDead || handler === undefined) {
      await this.#clock.sleep(to.deadlineMs, { signal: to.signal });
      throw new CodedError('UNAVAILABLE', `"${to.peer.name}" does not answer`);
    }
    const request = isExact ? to.method.requestDeserialize(to.method.requestSerialize(to.request)) : to.request;
    await this.#clock.sleep(latencyMs);
    to.signal.throwIfAborted();
    if (port.isDead) throw new CodedError('UNAVAILABLE', `"${to.peer.name}" does not answer`);
    const answer = await handler(request, { peer: from.name, signal: to.signal });
    await this.#clock.sleep(latencyMs);
    if (port.isDead || from.isDead) throw new CodedError('UNAVAILABLE', `"${to.peer.name}" does not answer`);
    to.signal.throwIfAborted();
    return isExact ? to.method.responseDeserialize(to.method.responseSerialize(answer)) : answer;
  }

  async #read(
    to: SimPort,
    read: { peer: PeerAddress; request: RangeRequest; take: (bytes: Uint8Array) => Promise<void>; signal: AbortSignal },
  ): Promise<string> {
    const from = this.#ports.get(read.peer.name);
    const check = () => {
      read.signal.throwIfAborted();
      if (from === undefined || from.isDead || to.isDead) {
        throw new CodedError('UNAVAILABLE', `"${read.peer.name}" does not answer`);
      }
    };
    if (from?.offers === undefined || from.isDead) {
      await this.#clock.sleep(1_000, { signal: read.signal });
      throw new CodedError('UNAVAILABLE', `"${read.peer.name}" does not answer`);
    }
    const { offers } = from;
    await this.#clock.sleep(this.#options.latencyMs);
    check();
    const ended = new AbortController();
    const onAbort = () => ended.abort(read.signal.reason);
    read.signal.addEventListener('abort', onAbort, { once: true });
    try {
      const open = await offers.openRange(to.name, read.request, { signal: ended.signal });
      const pending: Promise<void>[] = [];
      const key = `${from.name}>${to.name}`;
      const take = async (bytes: Uint8Array) => {
        this.moved.set(key, (this.moved.get(key) ?? 0) + bytes.length);
        await read.take(bytes);
      };
      for await (const chunk of open.chunks)
        await this.move({ up: from.up, down: to.down }, chunk, { take, check, pending });
      await Promise.all(pending);
      return await open.sha256;
    } finally {
      read.signal.removeEventListener('abort', onAbort);
      ended.abort(OVER);
    }
  }
}
