/**
 * One datagram: label, seal, checksum, then compound and compressed messages within one another. Every fault is told by
 * its reason; what is whole beside a fault is still given. (memberlist `net.go` ingestPacket, rawSendMsgPacket)
 */
import { crc32 } from 'node:zlib';
import { INFLATED_PACKET_BYTES_MAX, PACKET_NESTING_MAX, RECEIVED_PACKET_BYTES_MAX } from '../limits.ts';
import { unpackCompound } from './compound.ts';
import { inflateMessage } from './compressed.ts';
import { type Keyring, SEAL_BYTES } from './keyring.ts';
import { labelHeader, withoutLabel } from './label.ts';
import { MESSAGE } from './message-type.ts';
import { type DropReason, WireFault } from './wire-fault.ts';

const CRC_HEADER_BYTES = 5;

export interface OpenedPacket {
  /** Single messages, type byte first, in their order. */
  readonly messages: readonly Buffer[];
  /** One for each part that was dropped. */
  readonly faults: readonly DropReason[];
}

export interface PacketCodecDeps {
  /** Absent: nothing is sealed, and sealed packets are not understood. */
  readonly keyring?: Keyring | undefined;
  readonly label?: string | undefined;
}

export class PacketCodec {
  readonly #keyring: Keyring | undefined;
  readonly #label: Buffer;
  readonly #authenticated: Buffer;

  /** @throws CodedError INVALID_ARGUMENT for a label that is too long */
  constructor(deps: PacketCodecDeps) {
    this.#keyring = deps.keyring;
    this.#label = labelHeader(deps.label ?? '');
    this.#authenticated = Buffer.from(deps.label ?? '', 'utf8');
  }

  /** What `seal` adds at most, without the checksum: memberlist does not count that either. */
  get overheadBytes(): number {
    return this.#label.length + (this.#keyring === undefined ? 0 : SEAL_BYTES);
  }

  /** `hasCrc`: with a checksum, for receivers that speak version 5. */
  seal(message: Buffer, options: { hasCrc: boolean }): Buffer {
    const checked = options.hasCrc ? withCrc(message) : message;
    const sealed = this.#keyring === undefined ? checked : this.#keyring.seal(checked, this.#authenticated);
    return this.#label.length === 0 ? sealed : Buffer.concat([this.#label, sealed]);
  }

  /** Never throws: whatever is wrong becomes a fault. */
  open(packet: Buffer): OpenedPacket {
    const messages: Buffer[] = [];
    const faults: DropReason[] = [];
    attempt(faults, () => {
      if (packet.length > RECEIVED_PACKET_BYTES_MAX) throw new WireFault('oversized', 'A packet is too long');
      const inner = withoutLabel(packet, this.#label);
      const plain = this.#keyring === undefined ? inner : this.#keyring.open(inner, this.#authenticated);
      flatten(withoutCrc(plain), 0, { messages, faults });
    });
    return { messages, faults };
  }
}

function flatten(message: Buffer, depth: number, out: { messages: Buffer[]; faults: DropReason[] }): void {
  const type = message[0];
  if (type === undefined) throw new WireFault('truncated', 'A message has no type');
  if (type !== MESSAGE.compound && type !== MESSAGE.compress) {
    out.messages.push(message);
    return;
  }
  if (depth >= PACKET_NESTING_MAX) throw new WireFault('malformed', `Nested deeper than ${PACKET_NESTING_MAX}`);
  if (type === MESSAGE.compress) {
    flatten(inflateMessage(message, { bytesMax: INFLATED_PACKET_BYTES_MAX }), depth + 1, out);
    return;
  }
  const { messages, isCut } = unpackCompound(message);
  for (const part of messages) attempt(out.faults, () => flatten(part, depth + 1, out));
  if (isCut) out.faults.push('truncated');
}

function attempt(faults: DropReason[], run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof WireFault)) throw error;
    faults.push(error.reason);
  }
}

function withCrc(message: Buffer): Buffer {
  const header = Buffer.alloc(CRC_HEADER_BYTES);
  header[0] = MESSAGE.hasCrc;
  header.writeUInt32BE(crc32(message), 1);
  return Buffer.concat([header, message]);
}

function withoutCrc(packet: Buffer): Buffer {
  if (packet[0] !== MESSAGE.hasCrc) return packet;
  if (packet.length <= CRC_HEADER_BYTES) throw new WireFault('truncated', 'A checksum covers nothing');
  const message = packet.subarray(CRC_HEADER_BYTES);
  if (crc32(message) !== packet.readUInt32BE(1)) throw new WireFault('checksum', 'The checksum is wrong');
  return message;
}
