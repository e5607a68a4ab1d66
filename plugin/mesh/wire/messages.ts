/** memberlist's messages as values, and both directions of their encoding. (memberlist `net.go`) */
import { INCARNATION_MAX, META_BYTES_MAX, NAME_BYTES_MAX } from '../limits.ts';
import { MESSAGE } from './message-type.ts';
import { MsgpackReader } from './msgpack-reader.ts';
import { MsgpackWriter } from './msgpack-writer.ts';
import { WireFault } from './wire-fault.ts';
import { type Structure, address, bool, bytes, omitEmpty, structure, text, uint, uint16, uint32 } from './structure.ts';

const name = text(NAME_BYTES_MAX);
const incarnation = uint(INCARNATION_MAX);
const source = { sourceAddr: omitEmpty(address), sourcePort: omitEmpty(uint16), sourceNode: omitEmpty(name) };

/** Versions: pmin, pmax, pcur, dmin, dmax, dcur. */
const VERSIONS_BYTES_MAX = 16;
/** serf answers with its coordinate, some 200 bytes. */
const ACK_PAYLOAD_BYTES_MAX = 1_024;
const ERROR_BYTES_MAX = 1_024;

const PING = structure({ seqNo: uint32, node: name, ...source });
const INDIRECT_PING = structure({ seqNo: uint32, target: address, port: uint16, node: name, nack: bool, ...source });
const ACK = structure({ seqNo: uint32, payload: bytes(ACK_PAYLOAD_BYTES_MAX) });
const NACK = structure({ seqNo: uint32 });
const SUSPECT = structure({ incarnation, node: name, from: name });
const DEAD = structure({ incarnation, node: name, from: name });
const ALIVE = structure({
  incarnation,
  node: name,
  addr: address,
  port: uint16,
  meta: bytes(META_BYTES_MAX),
  vsn: bytes(VERSIONS_BYTES_MAX),
});
const ERROR = structure({ error: text(ERROR_BYTES_MAX) });

type Value<S> = S extends Structure<infer T> ? T : never;
export type Ping = Value<typeof PING>;
export type IndirectPing = Value<typeof INDIRECT_PING>;
export type Ack = Value<typeof ACK>;
export type Nack = Value<typeof NACK>;
export type Suspect = Value<typeof SUSPECT>;
export type Alive = Value<typeof ALIVE>;
export type Dead = Value<typeof DEAD>;

/** Body readers: `message` with its type byte in front. @throws WireFault */
export const readPing = (message: Buffer): Ping => PING.read(new MsgpackReader(message, 1));
export const readAck = (message: Buffer): Ack => ACK.read(new MsgpackReader(message, 1));
export const readNack = (message: Buffer): Nack => NACK.read(new MsgpackReader(message, 1));
export const readSuspect = (message: Buffer): Suspect => SUSPECT.read(new MsgpackReader(message, 1));
export const readDead = (message: Buffer): Dead => DEAD.read(new MsgpackReader(message, 1));
export const readError = (message: Buffer): string => ERROR.read(new MsgpackReader(message, 1)).error;

export function readIndirectPing(message: Buffer): IndirectPing {
  const request = INDIRECT_PING.read(new MsgpackReader(message, 1));
  if (request.target === '' || request.port === 0) throw new WireFault('malformed', 'A probe of nobody is asked for');
  return request;
}

/** The metadata is copied: it outlives the packet. */
export function readAlive(message: Buffer): Alive {
  const alive = ALIVE.read(new MsgpackReader(message, 1));
  if (alive.node === '' || alive.addr === '' || alive.port === 0) {
    throw new WireFault('malformed', 'A member without name, address or port');
  }
  return { ...alive, meta: Uint8Array.from(alive.meta), vsn: Uint8Array.from(alive.vsn) };
}

export const writePing = (value: Ping): Buffer => write(MESSAGE.ping, PING, value);
export const writeIndirectPing = (value: IndirectPing): Buffer => write(MESSAGE.indirectPing, INDIRECT_PING, value);
export const writeAck = (value: Ack): Buffer => write(MESSAGE.ack, ACK, value);
export const writeNack = (value: Nack): Buffer => write(MESSAGE.nack, NACK, value);
export const writeSuspect = (value: Suspect): Buffer => write(MESSAGE.suspect, SUSPECT, value);
export const writeAlive = (value: Alive): Buffer => write(MESSAGE.alive, ALIVE, value);
export const writeDead = (value: Dead): Buffer => write(MESSAGE.dead, DEAD, value);
export const writeError = (error: string): Buffer => write(MESSAGE.error, ERROR, { error });

/** A message for the application above memberlist: its type byte and the payload as it is. */
export function writeUser(payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(MESSAGE.user), payload]);
}

function write<T>(type: number, shape: Structure<T>, value: T): Buffer {
  const writer = new MsgpackWriter().raw(type);
  shape.write(writer, value);
  return writer.finish();
}
