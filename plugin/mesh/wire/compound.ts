/** Several messages in one packet: count, lengths, bodies. (memberlist `util.go`) */
import { MESSAGE } from './message-type.ts';
import { WireFault } from './wire-fault.ts';

/** What the frame costs, and what each message in it. (memberlist `compoundHeaderOverhead`, `compoundOverhead`) */
export const COMPOUND_HEADER_BYTES = 2;
export const COMPOUND_ENTRY_BYTES = 2;
/** The count has one byte. */
export const COMPOUND_MESSAGES_MAX = 255;

/** At most COMPOUND_MESSAGES_MAX messages of less than 64 KiB each. */
export function packCompound(messages: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(COMPOUND_HEADER_BYTES + messages.length * COMPOUND_ENTRY_BYTES);
  head[0] = MESSAGE.compound;
  head[1] = messages.length;
  for (const [index, message] of messages.entries()) head.writeUInt16BE(message.length, 2 + index * 2);
  return Buffer.concat([head, ...messages]);
}

/**
 * The messages of a compound one (its type byte in front). A packet cut short gives those that are whole and says so.
 * @throws WireFault truncated when not even the lengths are there
 */
export function unpackCompound(packet: Buffer): { messages: Buffer[]; isCut: boolean } {
  const count = packet[1];
  let at = 2 + (count ?? 0) * 2;
  if (count === undefined || packet.length < at) throw new WireFault('truncated', 'A compound message has no lengths');
  const messages: Buffer[] = [];
  for (let index = 0; index < count; index += 1) {
    const end = at + packet.readUInt16BE(2 + index * 2);
    if (end > packet.length) return { messages, isCut: true };
    messages.push(packet.subarray(at, end));
    at = end;
  }
  return { messages, isCut: false };
}
