/**
 * A network in memory: packets take a few milliseconds and some are lost, streams take longer when packets are lost, hosts die
 * without a word, and groups can be cut off from one another.
 */
import type { Endpoint, ExchangeDone, Transport } from '../../../plugin/mesh/net/transport.ts';
import type { EventLoop } from './event-loop.ts';

export interface Host {
  onPacket(packet: Buffer, from: Endpoint): void;
  onStream(message: Buffer, from: Endpoint): Buffer | undefined;
}

export interface NetworkTerms {
  /** Share of packets that are lost, 0 to 1. */
  loss: number;
  latencyMs: { least: number; most: number };
}

/** How long TCP waits before it sends a lost segment again; doubled each time. */
const RESEND_MS = 200;

export class MemoryNetwork {
  readonly terms: NetworkTerms = { loss: 0, latencyMs: { least: 0.5, most: 3 } };
  /** Hosts of different groups do not reach each other. By endpoint; absent: group 0. */
  readonly groups = new Map<string, number>();
  /** Added to whatever reaches or leaves a host, milliseconds. */
  readonly slownessMs = new Map<string, () => number>();
  /** Packets that never arrive, while streams do: a firewall. */
  isPacketCut: (from: Endpoint, to: Endpoint) => boolean = () => false;
  packetBytes = 0;
  packets = 0;
  streamBytes = 0;
  readonly #hosts = new Map<string, Host>();
  readonly #loop: EventLoop;
  readonly #random: () => number;

  constructor(deps: { loop: EventLoop; random: () => number }) {
    this.#loop = deps.loop;
    this.#random = deps.random;
  }

  attach(endpoint: Endpoint, host: Host): void {
    this.#hosts.set(keyOf(endpoint), host);
  }

  /** The host is gone: packets vanish, streams time out. */
  detach(endpoint: Endpoint): void {
    this.#hosts.delete(keyOf(endpoint));
  }

  transportOf(from: Endpoint): Transport {
    return {
      sendPacket: (to, packet) => this.#sendPacket(from, to, packet),
      exchange: (to, message, options, done) => this.#exchange({ from, to, message, ...options }, done),
    };
  }

  #sendPacket(from: Endpoint, to: Endpoint, packet: Buffer): void {
    this.packets += 1;
    this.packetBytes += packet.length;
    if (this.#random() < this.terms.loss || this.isPacketCut(from, to)) return;
    this.#loop.after(this.#delayMs(from, to), () => this.#reached(from, to)?.onPacket(packet, from));
  }

  #exchange(
    { from, to, message, timeoutMs }: { from: Endpoint; to: Endpoint; message: Buffer; timeoutMs: number },
    done: ExchangeDone,
  ): void {
    let isOver = false;
    const settle: ExchangeDone = (outcome) => {
      if (!isOver) done(outcome);
      isOver = true;
    };
    this.#loop.after(timeoutMs, () => settle({ failure: new Error('No answer in time') }));
    // Handshake and request, then the answer.
    this.#loop.after(this.#streamMs(from, to) + this.#streamMs(to, from), () => {
      const answer = isOver ? undefined : this.#reached(from, to)?.onStream(message, from);
      if (answer === undefined) return;
      this.streamBytes += message.length + answer.length;
      this.#loop.after(this.#streamMs(to, from), () => {
        if (this.#reached(to, from) !== undefined) settle({ answer });
      });
    });
  }

  #reached(from: Endpoint, to: Endpoint): Host | undefined {
    const isCut = (this.groups.get(keyOf(from)) ?? 0) !== (this.groups.get(keyOf(to)) ?? 0);
    return isCut ? undefined : this.#hosts.get(keyOf(to));
  }

  #delayMs(from: Endpoint, to: Endpoint): number {
    const { least, most } = this.terms.latencyMs;
    const slow = (endpoint: Endpoint) => this.slownessMs.get(keyOf(endpoint))?.() ?? 0;
    return least + this.#random() * (most - least) + slow(from) + slow(to);
  }

  #streamMs(from: Endpoint, to: Endpoint): number {
    let ms = this.#delayMs(from, to);
    for (let waitMs = RESEND_MS; this.#random() < this.terms.loss; waitMs *= 2) ms += waitMs;
    return ms;
  }
}

function keyOf({ address, port }: Endpoint): string {
  return `${address} ${port}`;
}
