import { describe, expect, it } from '@jest/globals';
import { MEMBERLIST as GOLDEN } from '../fixtures/goldens.ts';
import {
  readAck,
  readAlive,
  readDead,
  readError,
  readIndirectPing,
  readNack,
  readPing,
  readSuspect,
  writeAck,
  writeAlive,
  writeDead,
  writeError,
  writeIndirectPing,
  writeNack,
  writePing,
  writeSuspect,
  writeUser,
} from './messages.ts';

const NONE = new Uint8Array(0);
const VSN = Uint8Array.of(1, 5, 2, 2, 5, 4);
const SOURCE = { sourceAddr: '10.1.2.3', sourcePort: 7946, sourceNode: 'node-b' };
const NO_SOURCE = { sourceAddr: '', sourcePort: 0, sourceNode: '' };

const bytesOf = (hex: string) => Buffer.from(hex, 'hex');

/** Each message, the bytes that memberlist wrote for it, and both directions of ours. */
const CASES = [
  { golden: 'ping', value: { seqNo: 7, node: 'node-a', ...SOURCE }, read: readPing, write: writePing },
  {
    golden: 'pingBare',
    value: { seqNo: 4_000_000_000, node: 'node-a', ...NO_SOURCE },
    read: readPing,
    write: writePing,
  },
  {
    golden: 'indirectPing',
    value: { seqNo: 300, target: '10.1.2.3', port: 7946, node: 'node-c', nack: true, ...SOURCE, sourcePort: 65_535 },
    read: readIndirectPing,
    write: writeIndirectPing,
  },
  { golden: 'ack', value: { seqNo: 7, payload: NONE }, read: readAck, write: writeAck },
  { golden: 'ackPayload', value: { seqNo: 70_000, payload: Buffer.of(1, 2, 3) }, read: readAck, write: writeAck },
  { golden: 'nack', value: { seqNo: 200 }, read: readNack, write: writeNack },
  {
    golden: 'suspect',
    value: { incarnation: 3, node: 'node-a', from: 'node-b' },
    read: readSuspect,
    write: writeSuspect,
  },
  { golden: 'dead', value: { incarnation: 65_536, node: 'node-a', from: 'node-a' }, read: readDead, write: writeDead },
  {
    golden: 'alive',
    value: { incarnation: 1, node: 'node-a', addr: '10.1.2.3', port: 7946, meta: Uint8Array.of(255, 128), vsn: VSN },
    read: readAlive,
    write: writeAlive,
  },
  {
    golden: 'aliveNoMeta',
    value: { incarnation: 1, node: 'node-six', addr: '2001:db8::1:0:7', port: 80, meta: NONE, vsn: VSN },
    read: readAlive,
    write: writeAlive,
  },
  {
    golden: 'aliveLong',
    value: {
      incarnation: 128,
      node: 'n'.repeat(40),
      addr: '10.1.2.3',
      port: 255,
      meta: Uint8Array.from({ length: 300 }, (_, index) => index & 255),
      vsn: VSN,
    },
    read: readAlive,
    write: writeAlive,
  },
  { golden: 'err', value: 'no', read: readError, write: writeError },
] as const;

describe('messages', () => {
  it.each(CASES)('read() gives what memberlist wrote when it is $golden', ({ golden, value, read }) => {
    expect(read(bytesOf(GOLDEN[golden]))).toEqual(value);
  });

  it.each(CASES)('write() gives the bytes that memberlist writes when it is $golden', ({ golden, value, write }) => {
    const writeAny = write as (message: unknown) => Buffer;
    expect(writeAny(value).toString('hex')).toBe(GOLDEN[golden]);
  });

  it('readPing() passes over fields that it does not know when a later version sends some', () => {
    const message = Buffer.concat([
      bytesOf('0083'),
      bytesOf(GOLDEN.pingBare).subarray(2),
      bytesOf('a3466f6f93c001a178'),
    ]);
    expect(readPing(message)).toEqual({ seqNo: 4_000_000_000, node: 'node-a', ...NO_SOURCE });
  });

  it('readAlive() refuses when name, address or port are missing, or a name is too long', () => {
    const sound = readAlive(bytesOf(GOLDEN.alive));
    for (const wrong of [{ node: '' }, { addr: '' }, { port: 0 }, { node: 'x'.repeat(256) }]) {
      expect(() => readAlive(writeAlive({ ...sound, ...wrong }))).toThrow();
    }
  });

  it('readSuspect() refuses when the incarnation could not be refuted any more', () => {
    const message = writeSuspect({ incarnation: 0xffff_ffff, node: 'a', from: 'b' });
    expect(() => readSuspect(message)).toThrow(/4294967295/);
  });

  it('writeUser() puts the type in front when given a payload', () => {
    expect([...writeUser(Uint8Array.of(1, 2))]).toEqual([8, 1, 2]);
  });
});
