import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FULL_TABLE } from '../fixtures/full-table.ts';
import { MEMBERLIST as GOLDEN } from '../fixtures/goldens.ts';
import { packCompound, unpackCompound } from './compound.ts';
import { Keyring } from './keyring.ts';
import { PacketCodec } from './packet-codec.ts';

const bytesOf = (hex: string) => Buffer.from(hex, 'hex');
const keyOf = (size: number) => Uint8Array.from({ length: size }, (_, index) => index);
const PARTS = unpackCompound(bytesOf(GOLDEN.compound)).messages.map((part) => part.toString('hex'));
const open = (codec: PacketCodec, hex: string) => {
  const { messages, faults } = codec.open(bytesOf(hex));
  return { messages: messages.map((message) => message.toString('hex')), faults };
};
const plain = new PacketCodec({});

describe('PacketCodec', () => {
  it('open() gives the single messages when memberlist packed, checked, compressed or labelled them', () => {
    for (const golden of ['compound', 'crc', 'compressed'] as const) {
      expect(open(plain, GOLDEN[golden])).toEqual({ messages: PARTS, faults: [] });
    }
    expect(open(new PacketCodec({ label: 'lbl' }), GOLDEN.labelled)).toEqual({ messages: PARTS, faults: [] });
  });

  it.each([16, 24, 32] as const)(
    'open() opens versions 0 and 1 when memberlist sealed with %i bytes of key',
    (size) => {
      // The label is authenticated, but was put into no header here.
      const codec = new PacketCodec({ keyring: new Keyring([keyOf(16), keyOf(size)]), label: 'lbl' });
      for (const version of ['v0', 'v1'] as const) {
        expect(open(codec, `f4036c626c${GOLDEN[`sealed${size}${version}`]}`)).toEqual({ messages: PARTS, faults: [] });
      }
    },
  );

  it('open() inflates a message that fills the code table and clears it when Go compressed it', () => {
    let seed = 1;
    const expected = Buffer.from([
      8,
      ...Array.from({ length: 8_000 }, () => {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
        return (seed >>> 24) & 0x3f;
      }),
    ]);
    const { messages, faults } = plain.open(Buffer.from(FULL_TABLE, 'base64'));
    expect(faults).toEqual([]);
    expect(messages[0]?.equals(expected)).toBe(true);
    const run = plain.open(bytesOf(GOLDEN.compressedRun)).messages[0];
    expect(run?.equals(Buffer.concat([Buffer.of(8), Buffer.alloc(5_000, 'a')]))).toBe(true);
  });

  it('seal() makes what open() opens when there is a key, a label and a checksum, within its overhead', () => {
    const message = bytesOf(GOLDEN.compound);
    const codec = new PacketCodec({ keyring: new Keyring([keyOf(32)]), label: 'lbl' });
    const sealed = codec.seal(message, { hasCrc: true });
    expect(sealed.length).toBe(message.length + codec.overheadBytes + 5);
    expect(open(codec, sealed.toString('hex'))).toEqual({ messages: PARTS, faults: [] });
    expect(plain.seal(message, { hasCrc: true }).toString('hex')).toBe(GOLDEN.crc);
    expect(plain.seal(message, { hasCrc: false })).toBe(message);
  });

  it('open() tells the reason when a packet is dropped', () => {
    const sealed = new PacketCodec({ keyring: new Keyring([keyOf(16)]) });
    const other = new PacketCodec({ keyring: new Keyring([keyOf(32)]) });
    const fromOther = other.seal(bytesOf(GOLDEN.ping), { hasCrc: false }).toString('hex');
    const cases: [PacketCodec, string, string][] = [
      [plain, '', 'truncated'],
      [plain, '07', 'truncated'],
      [plain, GOLDEN.labelled, 'label'],
      [new PacketCodec({ label: 'other' }), GOLDEN.labelled, 'label'],
      [new PacketCodec({ label: 'lbl' }), GOLDEN.ping, 'label'],
      [plain, GOLDEN.crc.replace(/..$/, '00'), 'checksum'],
      [plain, '0c00000000', 'truncated'],
      [plain, GOLDEN.compressed.replace('a3427566', 'a3427567'), 'truncated'],
      [plain, GOLDEN.compressed.replace('a4416c676f00', 'a4416c676f01'), 'unsupported'],
      [sealed, fromOther, 'undecryptable'],
      [sealed, GOLDEN.compound, 'unencrypted'],
      [sealed, '01ff', 'truncated'],
      [plain, 'ff'.repeat(65_536), 'oversized'],
    ];
    for (const [codec, hex, reason] of cases) expect(open(codec, hex)).toEqual({ messages: [], faults: [reason] });
  });

  it('open() gives nothing when 20,000 packets come from somebody without the key', () => {
    const codec = new PacketCodec({ keyring: new Keyring([keyOf(16)]) });
    const sealed = codec.seal(bytesOf(GOLDEN.compound), { hasCrc: true });
    const forged = fc.oneof(
      fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes)),
      fc.tuple(fc.nat({ max: sealed.length - 1 }), fc.integer({ min: 1, max: 255 })).map(([at, change]) => {
        const packet = Buffer.from(sealed);
        packet[at] = (packet[at] ?? 0) ^ change;
        return packet;
      }),
      fc.constantFrom(bytesOf(GOLDEN.ping), bytesOf(GOLDEN.compound), bytesOf(GOLDEN.crc), bytesOf(GOLDEN.sealed32v1)),
    );
    fc.assert(
      fc.property(forged, (packet) => {
        const { messages, faults } = codec.open(packet);
        expect([messages.length, faults.length]).toEqual([0, 1]);
      }),
      { numRuns: 100_000, seed: 13 },
    );
  }, 60_000);

  it('open() keeps the whole messages when the last of a compound is cut', () => {
    expect(open(plain, GOLDEN.compound.slice(0, -4))).toEqual({ messages: [PARTS[0]], faults: ['truncated'] });
  });

  it('open() stops when compounds nest too deep or a few bytes inflate without end', () => {
    let nested: Buffer = bytesOf(GOLDEN.ping);
    for (let depth = 0; depth < 6; depth += 1) nested = packCompound([nested]);
    expect(open(plain, nested.toString('hex'))).toEqual({ messages: [], faults: ['malformed'] });
    // One repeated byte: each code of twelve bits stands for a text longer by one than the last.
    const bits = ['001100001', ...Array.from({ length: 3_000 }, (_, index) => code(258 + index))]
      .map(reversed)
      .join('');
    const bytes = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(reversed(byte), 2)));
    const head = Buffer.from('0982a4416c676f00a3427566da0000', 'hex');
    head.writeUInt16BE(bytes.length, head.length - 2);
    expect(open(plain, Buffer.concat([head, bytes]).toString('hex'))).toEqual({ messages: [], faults: ['oversized'] });
  });
});

/** A code in as many bits as it has when it is defined. */
function code(value: number): string {
  const width = value < 512 ? 9 : value < 1024 ? 10 : value < 2048 ? 11 : 12;
  return value.toString(2).padStart(width, '0');
}

function reversed(bits: string): string {
  return [...bits].reverse().join('');
}
