/** Puts messages into packets: what must be said, then as many rumours as fit beside it. */
import { PACKET_BYTES_MAX } from '../limits.ts';
import type { Endpoint, Transport } from '../net/transport.ts';
import { COMPOUND_ENTRY_BYTES, COMPOUND_HEADER_BYTES, COMPOUND_MESSAGES_MAX, packCompound } from '../wire/compound.ts';
import type { PacketCodec } from '../wire/packet-codec.ts';
import type { Rumours } from './rumours.ts';

/** memberlist checks checksums from this version on. */
const CRC_SINCE = 5;
const CRC_BYTES = 5;

export interface Receiver extends Endpoint {
  /** The highest protocol version that it understands; 0 when we do not know. */
  readonly protocolMax: number;
}

export interface PacketSenderDeps {
  readonly codec: PacketCodec;
  readonly transport: Transport;
  readonly rumours: Rumours;
}

export class PacketSender {
  readonly #deps: PacketSenderDeps;

  constructor(deps: PacketSenderDeps) {
    this.#deps = deps;
  }

  /** `messages` and rumours that fit beside them. */
  send(to: Receiver, ...messages: readonly Buffer[]): void {
    const used = messages.reduce((sum, message) => sum + message.length + COMPOUND_ENTRY_BYTES, 0);
    const rumours = this.#deps.rumours.take(this.#bytesMax - used, COMPOUND_MESSAGES_MAX - messages.length);
    this.#sendAll(to, [...messages, ...rumours]);
  }

  /** Rumours alone. @returns false when there was none to tell */
  gossip(to: Receiver): boolean {
    const rumours = this.#deps.rumours.take(this.#bytesMax);
    if (rumours.length > 0) this.#sendAll(to, rumours);
    return rumours.length > 0;
  }

  get #bytesMax(): number {
    return PACKET_BYTES_MAX - COMPOUND_HEADER_BYTES - CRC_BYTES - this.#deps.codec.overheadBytes;
  }

  #sendAll(to: Receiver, messages: readonly Buffer[]): void {
    const [only] = messages;
    if (only === undefined) return;
    const message = messages.length === 1 ? only : packCompound(messages);
    const packet = this.#deps.codec.seal(message, { hasCrc: to.protocolMax >= CRC_SINCE });
    this.#deps.transport.sendPacket(to, packet);
  }
}
