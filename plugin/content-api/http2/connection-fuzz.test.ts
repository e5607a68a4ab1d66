/** Whatever a peer sends: no throw, no call left behind, and what we send stays well-formed HTTP/2. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Connection } from './connection.ts';
import { echoCalls, grpcMessage } from './connection-conformance.ts';
import { FRAME, PREFACE, putFrameHead } from './frames.ts';
import { FRAME_BYTES_MAX } from './limits.ts';
import { Output } from './output.ts';

function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.set(payload, putFrameHead(bytes, 0, { length: payload.length, type, flags, stream }));
  return bytes;
}

/** `:method POST`, `content-type application/grpc`, `:path` as given; all literals. */
function headers(path: string): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  return Buffer.concat([Buffer.from([0x83, 0x0f, 0x10]), text('application/grpc'), Buffer.from([0x04]), text(path)]);
}

const SETTINGS = frame(FRAME.SETTINGS, 0, 0);

/** A session that is well-formed: calls with their messages, pings, windows, resets. */
function session(): Buffer[] {
  return [
    SETTINGS,
    frame(FRAME.SETTINGS, 1, 0),
    frame(FRAME.HEADERS, 4, 1, headers('/echo')),
    frame(FRAME.DATA, 1, 1, grpcMessage(Buffer.from('hello'))),
    frame(FRAME.WINDOW_UPDATE, 0, 0, Buffer.from([0, 0, 1, 0])),
    frame(FRAME.HEADERS, 0, 3, headers('/sum').subarray(0, 7)),
    frame(FRAME.CONTINUATION, 4, 3, headers('/sum').subarray(7)),
    frame(FRAME.DATA, 8, 3, Buffer.concat([Buffer.from([3]), grpcMessage(Buffer.from('abc')), Buffer.alloc(3)])),
    frame(FRAME.PING, 0, 0, Buffer.alloc(8, 1)),
    frame(FRAME.HEADERS, 4, 5, headers('/never')),
    frame(FRAME.RST_STREAM, 0, 5, Buffer.from([0, 0, 0, 8])),
    frame(FRAME.SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 0, 9])),
    frame(FRAME.DATA, 1, 3, Buffer.alloc(0)),
    frame(FRAME.HEADERS, 5, 7, headers('/echo')),
    frame(FRAME.PRIORITY, 0, 9, Buffer.alloc(5)),
    frame(FRAME.GOAWAY, 0, 0, Buffer.alloc(8)),
  ];
}

const FILLER = frame(FRAME.DATA, 0, 1, Buffer.alloc(16_384));

/** A full frame of data on a stream. */
function filler(stream: number): Buffer {
  const bytes = Buffer.from(FILLER);
  bytes.writeUInt32BE(stream, 5);
  return bytes;
}

interface Outcome {
  readonly sent: Buffer;
  readonly running: number;
  readonly isClosed: boolean;
}

async function feed(chunks: readonly Uint8Array[]): Promise<Outcome> {
  const calls = echoCalls();
  const sent: Buffer[] = [];
  let isClosed = false;
  const connection = new Connection({
    openCall: calls.openCall,
    output: new Output((bytes, done) => {
      sent.push(Buffer.from(bytes));
      done();
    }),
    socketDrained: async () => undefined,
    close: () => {
      isClosed = true;
    },
    nowMs: () => 0,
  });
  for (const chunk of chunks) {
    connection.receive(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk));
    await Promise.resolve();
  }
  await new Promise((resolve) => setImmediate(resolve));
  connection.lost();
  await new Promise((resolve) => setImmediate(resolve));
  return { sent: Buffer.concat(sent), running: calls.running(), isClosed };
}

/** The frames of what was sent, and whether they are well-formed. @returns their types */
function expectFrames(bytes: Buffer): number[] {
  return framesOf(bytes).map((one) => one[3] ?? -1);
}

function framesOf(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = bytes.readUIntBE(at, 3);
    expect(length).toBeLessThanOrEqual(FRAME_BYTES_MAX);
    frames.push(bytes.subarray(at, at + 9 + length));
    at += 9 + length;
  }
  expect(at).toBe(bytes.length);
  return frames;
}

/** Frames of different streams may overtake each other. */
function inAnyOrder(bytes: Buffer): string[] {
  return framesOf(bytes)
    .map((one) => one.toString('hex'))
    .sort();
}

/** Cuts bytes at random places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...at, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : (at[index - 1] ?? 0), end));
}

const places = fc.array(fc.nat(2000), { maxLength: 12 });

describe('Connection', () => {
  it('answers a session alike however it is cut into chunks', async () => {
    const whole = await feed([PREFACE, ...session()]);
    expectFrames(whole.sent);
    expect(whole).toMatchObject({ running: 0, isClosed: false });
    await fc.assert(
      fc.asyncProperty(places, async (at) => {
        const pieces = await feed(cut(Buffer.concat([PREFACE, ...session()]), at));
        expect(inAnyOrder(pieces.sent)).toEqual(inAnyOrder(whole.sent));
      }),
    );
  });

  it('survives random frames', async () => {
    const anyFrame = fc
      .tuple(
        fc.integer({ min: 0, max: 11 }),
        fc.integer({ min: 0, max: 255 }),
        fc.integer({ min: 0, max: 9 }),
        fc.uint8Array({ maxLength: 60 }),
      )
      .map((parts) => frame(...parts));
    await fc.assert(
      fc.asyncProperty(fc.array(anyFrame, { maxLength: 20 }), async (frames) => {
        const { sent, running } = await feed([PREFACE, SETTINGS, ...frames]);
        expectFrames(sent);
        expect(running).toBe(0);
      }),
      { numRuns: 1500 },
    );
  });

  it('survives sessions with frames dropped, doubled, swapped and bytes changed', async () => {
    const change = fc.record({
      at: fc.nat(15),
      how: fc.constantFrom('drop', 'double', 'swap', 'flip'),
      byte: fc.nat(60),
      to: fc.nat(255),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 5 }), places, async (changes, at) => {
        let frames = session();
        for (const one of changes) frames = changed(frames, one);
        const { sent, running } = await feed(cut(Buffer.concat([PREFACE, ...frames]), at));
        expectFrames(sent);
        expect(running).toBe(0);
      }),
      { numRuns: 1500 },
    );
  });

  it('survives random bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 5 }), async (chunks) => {
        expectFrames((await feed(chunks)).sent);
        expectFrames((await feed([PREFACE, SETTINGS, ...chunks])).sent);
      }),
      { numRuns: 500 },
    );
  });

  it.each<[string, Buffer[], number]>([
    ['a frame that is too long', [frame(FRAME.DATA, 0, 1, Buffer.alloc(20_000))], 6],
    ['frames before settings', [frame(FRAME.PING, 0, 0, Buffer.alloc(8))], 1],
    ['data of a stream that never was', [SETTINGS, frame(FRAME.DATA, 0, 1)], 1],
    ['an even stream', [SETTINGS, frame(FRAME.HEADERS, 4, 2, headers('/echo'))], 1],
    [
      'a header block that is interrupted',
      [SETTINGS, frame(FRAME.HEADERS, 0, 1), frame(FRAME.PING, 0, 0, Buffer.alloc(8))],
      1,
    ],
    [
      'header blocks without end',
      [SETTINGS, frame(FRAME.HEADERS, 0, 1), ...Array.from({ length: 40 }, () => frame(FRAME.CONTINUATION, 0, 1))],
      11,
    ],
    ['headers that are no HPACK', [SETTINGS, frame(FRAME.HEADERS, 4, 1, Buffer.from([0x80]))], 9],
    ['a push', [SETTINGS, frame(FRAME.PUSH_PROMISE, 4, 1)], 1],
    [
      'a window too wide',
      [SETTINGS, ...[1, 2].map(() => frame(FRAME.WINDOW_UPDATE, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff])))],
      3,
    ],
    [
      'more data than its window',
      [
        SETTINGS,
        frame(FRAME.HEADERS, 4, 1, headers('/never')),
        frame(FRAME.DATA, 1, 1),
        ...Array.from({ length: 2100 }, () => frame(FRAME.DATA, 0, 99)),
      ],
      1,
    ],
  ])('ends the connection with GOAWAY for %s', async (_name, frames, code) => {
    const { sent, isClosed } = await feed([PREFACE, ...frames]);
    expect(isClosed).toBe(true);
    expect(sent.readUInt32BE(sent.length - 4)).toBe(code);
    expect(sent[sent.length - 17 + 3]).toBe(FRAME.GOAWAY);
  });

  it('ends the connection of a client that only resets', async () => {
    const attack = Array.from({ length: 20_100 }, (_, index) => [
      frame(FRAME.HEADERS, 4, 2 * index + 1, headers('/never')),
      frame(FRAME.RST_STREAM, 0, 2 * index + 1, Buffer.alloc(4)),
    ]).flat();
    const { sent, isClosed, running } = await feed([Buffer.concat([PREFACE, SETTINGS, ...attack])]);
    expect({ isClosed, running, code: sent.readUInt32BE(sent.length - 4) }).toEqual({
      isClosed: true,
      running: 0,
      code: 11,
    });
  });

  it('refuses streams above its limit and goes on', async () => {
    const many = Array.from({ length: 16_390 }, (_, index) =>
      frame(FRAME.HEADERS, 4, 2 * index + 1, headers('/never')),
    );
    const { sent, isClosed } = await feed([Buffer.concat([PREFACE, SETTINGS, ...many])]);
    expect(isClosed).toBe(false);
    expect(expectFrames(sent).filter((type) => type === FRAME.RST_STREAM)).toHaveLength(6);
  });

  it('bounds what it keeps for streams that do not go on', async () => {
    const streams = Array.from({ length: 70 }, (_, index) => 2 * index + 1);
    const lie = Buffer.concat([Buffer.from([0, 0, 0xff, 0xff, 0xff]), Buffer.alloc(16_379)]);
    const frames = streams.flatMap((stream) => [
      frame(FRAME.HEADERS, 4, stream, headers('/echo')),
      frame(FRAME.DATA, 0, stream, lie),
      ...Array.from({ length: 254 }, () => filler(stream)),
    ]);
    const { sent, isClosed } = await feed([PREFACE, SETTINGS, ...frames]);
    expect(isClosed).toBe(false);
    expect(expectFrames(sent).filter((type) => type === FRAME.RST_STREAM).length).toBeGreaterThan(0);
  }, 30_000);
});

function changed(
  frames: Buffer[],
  { at, how, byte, to }: { at: number; how: string; byte: number; to: number },
): Buffer[] {
  const index = at % Math.max(1, frames.length);
  const one = Buffer.from(frames[index] ?? Buffer.alloc(0));
  if (how === 'drop') return frames.toSpliced(index, 1);
  if (how === 'double') return frames.toSpliced(index, 0, one);
  if (how === 'swap') return [...frames.slice(index), ...frames.slice(0, index)];
  if (one.length > 0) one[byte % one.length] = to;
  return frames.toSpliced(index, 1, one);
}
