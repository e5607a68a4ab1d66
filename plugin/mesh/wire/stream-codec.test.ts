import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MEMBERLIST as GOLDEN } from '../fixtures/goldens.ts';
import { STREAM_BYTES_MAX } from '../limits.ts';
import { Keyring } from './keyring.ts';
import { readPushPull, writePushPull } from './push-pull.ts';
import { StreamCodec } from './stream-codec.ts';
import { WireFault } from './wire-fault.ts';

const bytesOf = (hex: string) => Buffer.from(hex, 'hex');
const keyring = new Keyring([Uint8Array.from({ length: 16 }, (_, index) => index)]);
const plain = new StreamCodec({});
const sealed = new StreamCodec({ keyring });
const labelled = new StreamCodec({ keyring, label: 'lbl' });

/** What came out, and after how many bytes. */
function assemble(codec: StreamCodec, bytes: Buffer, chunkBytes: number): { message: string | undefined; at: number } {
  const assembler = codec.assemble({ hasLabel: true });
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const message = assembler.push(bytes.subarray(at, at + chunkBytes));
    if (message !== undefined) return { message: message.toString('hex'), at: Math.min(bytes.length, at + chunkBytes) };
  }
  return { message: undefined, at: bytes.length };
}

describe('StreamCodec', () => {
  it.each([1, 7, 100_000])(
    'assemble() gives what memberlist sent when it comes in chunks of %i bytes',
    (chunkBytes) => {
      for (const [codec, golden] of [
        [plain, 'stream_plain'],
        [plain, 'stream_compressed'],
        [sealed, 'stream_sealed'],
        [labelled, 'stream_sealedLabel'],
      ] as const) {
        const bytes = bytesOf(GOLDEN[golden]);
        expect(assemble(codec, bytes, chunkBytes)).toEqual({ message: GOLDEN.pushPull, at: bytes.length });
      }
    },
  );

  it('assemble() gives pings, and user messages in the form of packets', () => {
    expect(assemble(plain, bytesOf(GOLDEN.ping), 1).message).toBe(GOLDEN.ping);
    expect(assemble(plain, bytesOf(GOLDEN.userStream), 1).message).toBe('08616263');
  });

  it('seal() makes what assemble() opens when there is a key and a label', () => {
    const bytes = labelled.seal(bytesOf(GOLDEN.pushPull), { hasLabel: true });
    expect(assemble(labelled, bytes, 11)).toEqual({ message: GOLDEN.pushPull, at: bytes.length });
    const answer = labelled.assemble({ hasLabel: false });
    expect(answer.push(labelled.seal(bytesOf(GOLDEN.ping), { hasLabel: false }))?.toString('hex')).toBe(GOLDEN.ping);
  });

  it('assemble() throws the reason when the message never can be whole', () => {
    const cases: [StreamCodec, string, string][] = [
      [plain, GOLDEN.stream_sealed, 'undecryptable'],
      [sealed, GOLDEN.stream_plain, 'unencrypted'],
      [new StreamCodec({ keyring: new Keyring([new Uint8Array(16)]) }), GOLDEN.stream_sealed, 'undecryptable'],
      [sealed, GOLDEN.stream_sealedLabel, 'label'],
      [sealed, `0a${(STREAM_BYTES_MAX + 1).toString(16).padStart(8, '0')}`, 'oversized'],
      [sealed, '0a00000001', 'malformed'],
      [plain, '0681a54e6f646573ce7fffffff', 'malformed'],
      [plain, '0983', 'malformed'],
      [plain, '63', 'unsupported'],
      [plain, `0082a44e6f6465db0000ffff${'00'.repeat(5_000)}`, 'oversized'],
      [plain, `0682a54e6f64657301a3466f6fdb00ffffff${'00'.repeat(5_000)}`, 'oversized'],
    ];
    for (const [codec, hex, reason] of cases) {
      expect(() => assemble(codec, bytesOf(hex), 1_000_000)).toThrow(expect.objectContaining({ reason }));
    }
  });

  it('assemble() refuses at once when a length beyond the bound is announced, and holds no more than was sent', () => {
    for (const hex of ['0881aa557365724d73674c656ece01400001', '0982a4416c676f00a3427566db01400001']) {
      expect(() => plain.assemble({ hasLabel: true }).push(bytesOf(hex))).toThrow(/20971521/);
    }
    const waiting = plain.assemble({ hasLabel: true });
    expect(waiting.push(bytesOf('0881aa557365724d73674c656ece01400000'))).toBeUndefined();
    expect(waiting.size).toBe(18);
  });
});

describe('StreamAssembler', () => {
  const seeds = [
    GOLDEN.stream_plain,
    GOLDEN.stream_compressed,
    GOLDEN.stream_sealed,
    GOLDEN.userStream,
    GOLDEN.ping,
  ].map(bytesOf);
  const streams = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 5 }),
      )
      .map(([seed, changes]) => {
        const bytes = Buffer.from(seed);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        return bytes;
      }),
  );

  it('push() gives a message, waits or throws a WireFault when 20,000 streams are random or mutated', () => {
    const seen = { whole: 0, waiting: 0, refused: 0 };
    fc.assert(
      fc.property(
        streams,
        fc.constantFrom(plain, sealed),
        fc.integer({ min: 1, max: 400 }),
        (bytes, codec, chunkBytes) => {
          try {
            const { message } = assemble(codec, bytes, chunkBytes);
            seen[message === undefined ? 'waiting' : 'whole'] += 1;
          } catch (error) {
            expect(error).toBeInstanceOf(WireFault);
            seen.refused += 1;
          }
        },
      ),
      { numRuns: 20_000, seed: 11 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(500);
  }, 60_000);
});

describe('readPushPull()', () => {
  it('gives header, members and user state when memberlist wrote them, and writePushPull() the same bytes', () => {
    const state = readPushPull(bytesOf(GOLDEN.pushPull));
    expect(state.isJoin).toBe(true);
    expect(
      state.nodes.map(({ name, addr, port, incarnation, state: number }) => [name, addr, port, incarnation, number]),
    ).toEqual([
      ['node-a', '10.1.2.3', 7946, 5, 0],
      ['node-b', '2001:db8::1:0:7', 7947, 9, 3],
    ]);
    expect([...state.userState]).toEqual([2, 128]);
    expect(writePushPull(state).toString('hex')).toBe(GOLDEN.pushPull);
  });
});
