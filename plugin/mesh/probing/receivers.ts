/** Whom a packet goes to, with what is known of them. */
import type { Receiver } from '../gossip/packet-sender.ts';
import { type MemberRecord, protocolMax } from '../members/member-record.ts';

export function receiverOf(record: MemberRecord): Receiver {
  return { address: record.address, port: record.port, protocolMax: protocolMax(record) };
}
