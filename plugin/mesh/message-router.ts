/** Takes what arrives to where it belongs; what is wrong with it ends here, counted. */
import type { MeshEvents } from './events.ts';
import type { StateExchange } from './gossip/state-exchange.ts';
import type { MemberKeeper } from './members/member-keeper.ts';
import type { Endpoint } from './net/transport.ts';
import type { ProbeAnswers } from './probing/probe-answers.ts';
import type { Pings } from './probing/pings.ts';
import type { Prober } from './probing/prober.ts';
import type { SerfDelegate } from './serf/serf-delegate.ts';
import { MESSAGE } from './wire/message-type.ts';
import {
  readAck,
  readAlive,
  readDead,
  readIndirectPing,
  readNack,
  readPing,
  readSuspect,
  writeAck,
  writeError,
} from './wire/messages.ts';
import type { PacketCodec } from './wire/packet-codec.ts';
import { WireFault } from './wire/wire-fault.ts';

export interface MessageRouterDeps {
  readonly codec: PacketCodec;
  readonly events: MeshEvents;
  readonly prober: Prober;
  readonly pings: Pings;
  readonly answers: ProbeAnswers;
  readonly keeper: MemberKeeper;
  readonly serf: SerfDelegate;
  readonly exchange: StateExchange;
}

type Handler = (message: Buffer, from: Endpoint) => void;

export class MessageRouter {
  readonly #deps: MessageRouterDeps;
  readonly #handlers: ReadonlyMap<number, Handler>;

  constructor(deps: MessageRouterDeps) {
    this.#deps = deps;
    this.#handlers = packetHandlers(deps);
  }

  packet(packet: Buffer, from: Endpoint): void {
    const { messages, faults } = this.#deps.codec.open(packet);
    for (const reason of faults) this.#deps.events.dropped(reason, from);
    for (const message of messages) this.#attempt(from, () => this.#message(message, from));
  }

  stream(message: Buffer, from: Endpoint): Buffer | undefined {
    try {
      return this.#answer(message);
    } catch (error) {
      if (!(error instanceof WireFault)) throw error;
      this.#deps.events.dropped(error.reason, from);
      return writeError(error.message);
    }
  }

  #answer(message: Buffer): Buffer | undefined {
    const { exchange, answers, serf } = this.#deps;
    switch (message[0]) {
      case MESSAGE.pushPull:
        return exchange.answer(message);
      case MESSAGE.ping: {
        const ping = readPing(message);
        if (!answers.isForUs(ping)) throw new WireFault('other_member', 'The ping is for another member');
        return writeAck({ seqNo: ping.seqNo, payload: new Uint8Array(0) });
      }
      case MESSAGE.user:
        serf.receive(message.subarray(1));
        return undefined;
      default:
        throw new WireFault('unsupported', `Message type ${message[0]} on a stream`);
    }
  }

  #message(message: Buffer, from: Endpoint): void {
    const handle = this.#handlers.get(message[0] ?? -1);
    if (handle === undefined) throw new WireFault('unsupported', `Message type ${message[0]}`);
    handle(message, from);
  }

  #attempt(from: Endpoint, run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof WireFault)) throw error;
      this.#deps.events.dropped(error.reason, from);
    }
  }
}

/** Single messages of packets, by their type. */
function packetHandlers({ prober, pings, answers, keeper, serf }: MessageRouterDeps): ReadonlyMap<number, Handler> {
  return new Map<number, Handler>([
    [MESSAGE.ping, (message, from) => answers.ping(readPing(message), from)],
    [MESSAGE.indirectPing, (message, from) => answers.indirectPing(readIndirectPing(message), from)],
    [
      MESSAGE.ack,
      (message) => {
        const { seqNo } = readAck(message);
        if (!prober.ack(seqNo) && !pings.ack(seqNo)) answers.ack(seqNo);
      },
    ],
    [MESSAGE.nack, (message) => prober.nack(readNack(message).seqNo)],
    [MESSAGE.suspect, (message) => keeper.suspect(readSuspect(message))],
    [MESSAGE.alive, (message) => keeper.alive(readAlive(message))],
    [MESSAGE.dead, (message) => keeper.dead(readDead(message))],
    [MESSAGE.user, (message) => serf.receive(message.subarray(1))],
  ]);
}
