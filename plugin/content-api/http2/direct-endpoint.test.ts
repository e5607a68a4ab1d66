/** Our HTTP/2 endpoint against an implementation that is not ours: nghttp2, through node:http2. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../core/runtime/clock.ts';
import type { Endpoint } from '../endpoint.ts';
import type { OpenCall } from './call-stream.ts';
import { type EchoCalls, echoCalls, grpcMessage } from './connection-conformance.ts';
import { createHttp2Endpoint } from './direct-endpoint.ts';
import { RECEIVE_TURN_BYTES_MAX } from './limits.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0).toReversed()) close();
});

async function open(
  settings = {},
  options = {},
  openCall?: OpenCall,
): Promise<{ session: ClientHttp2Session; calls: EchoCalls; endpoint: Endpoint; path: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'shoal-h2-'));
  const path = join(directory, 's');
  const calls = echoCalls();
  const endpoint = createHttp2Endpoint(openCall ?? calls.openCall, options);
  await endpoint.listen(path);
  const session = connect('http://localhost', { createConnection: () => connectSocket(path), settings });
  session.on('error', () => undefined);
  closers.push(
    () => rmSync(directory, { recursive: true }),
    () => endpoint.destroy(),
    () => session.destroy(),
  );
  return { session, calls, endpoint, path };
}

const HEADERS = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };

function request(session: ClientHttp2Session, path: string): ClientHttp2Stream {
  const stream = session.request({ ...HEADERS, ':path': path });
  stream.on('error', () => undefined);
  return stream;
}

interface Answer {
  readonly status: string;
  readonly message: string | undefined;
  readonly httpStatus: unknown;
  readonly body: Buffer;
}

function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let fields: Record<string, unknown> = {};
    const take = (headers: object) => {
      fields = { ...fields, ...headers };
    };
    stream.on('response', take);
    stream.on('trailers', take);
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('close', () => {
      if (fields[':status'] === undefined) return reject(new Error(`closed with code ${stream.rstCode}`));
      const message = fields['grpc-message'];
      resolve({
        status: String(fields['grpc-status']),
        message: typeof message === 'string' ? decodeURIComponent(message) : undefined,
        httpStatus: fields[':status'],
        body: Buffer.concat(parts),
      });
    });
  });
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 300 && !condition(); turn += 1) await systemClock.sleep(10);
  expect(condition()).toBe(true);
}

describe('createHttp2Endpoint()', () => {
  it('lets go of a client that broke the protocol and does not close its side', async () => {
    const { session, endpoint, path } = await open({}, { lingerMs: 50 });
    const raw = connectSocket({ path, allowHalfOpen: true }).on('error', () => undefined);
    closers.push(() => raw.destroy());
    raw.write(Buffer.alloc(1000, 0xff));
    await once(raw.resume(), 'end');
    session.close();
    // It resolves when no connection is left.
    const drained = await Promise.race([endpoint.drain().then(() => true), systemClock.sleep(3_000)]);
    expect(drained).toBe(true);
  });

  it.each([0, 1, 3, 1000, 16_384, 65_530, 100_000, 5 * 1024 * 1024])('echoes a message of %d bytes', async (size) => {
    const { session, calls } = await open();
    const message = grpcMessage(randomBytes(size));
    const stream = request(session, '/echo');
    const answer = answerOf(stream);
    stream.end(message);
    const { body, ...rest } = await answer;
    expect(rest).toEqual({ status: '0', message: undefined, httpStatus: 200 });
    expect(body.equals(message)).toBe(true);
    expect(calls.running()).toBe(0);
  });

  it.each([{ initialWindowSize: 1 }, { initialWindowSize: 1000 }, { initialWindowSize: 0 }])(
    'keeps to the windows of a client with %j',
    async (settings) => {
      const { session } = await open(settings);
      const stream = request(session, '/echo');
      const answer = answerOf(stream);
      const message = grpcMessage(randomBytes(20_000));
      stream.end(message);
      if (settings.initialWindowSize === 0) {
        await systemClock.sleep(50);
        session.settings({ initialWindowSize: 65_535 });
      }
      expect((await answer).body.equals(message)).toBe(true);
    },
  );

  it('takes many messages of many streams at once, in order', async () => {
    const { session, calls } = await open();
    const bodies = Array.from({ length: 40 }, () => Array.from({ length: 20 }, () => grpcMessage(randomBytes(7000))));
    const answers = await Promise.all(
      bodies.map((messages) => {
        const stream = request(session, '/echo');
        const answer = answerOf(stream);
        for (const message of messages) stream.write(message);
        stream.end();
        return answer;
      }),
    );
    for (const [at, { body }] of answers.entries()) expect(body.equals(Buffer.concat(bodies[at] ?? []))).toBe(true);
    expect(calls.running()).toBe(0);
  });

  it('lets a client wait whose messages are taken slowly', async () => {
    const { session } = await open();
    const stream = request(session, '/slow');
    const answer = answerOf(stream);
    for (let turn = 0; turn < 40; turn += 1) stream.write(grpcMessage(Buffer.alloc(500_000)));
    stream.end();
    expect((await answer).body.subarray(5).toString()).toBe(String(40 * 500_000));
  });

  it('takes no more than its share from one client before others have a turn', async () => {
    const turns: number[] = [];
    let turnBytes = 0;
    let total = 0;
    const onMessage = (message: Buffer): undefined => {
      if (turnBytes === 0) {
        setImmediate(() => {
          turns.push(turnBytes);
          turnBytes = 0;
        });
      }
      turnBytes += message.length;
      total += message.length;
    };
    const { session } = await open({}, {}, () => ({ onMessage, onEnd: () => undefined, onGone: () => undefined }));
    const stream = request(session, '/sink');
    for (let at = 0; at < 300; at += 1) stream.write(grpcMessage(Buffer.alloc(10_000)));
    await until(() => total === 300 * 10_000);
    await new Promise((resolve) => setImmediate(resolve));
    // The read that reaches the limit is taken whole.
    expect(Math.max(...turns)).toBeLessThanOrEqual(RECEIVE_TURN_BYTES_MAX + 64 * 1024);
    expect(turns.length).toBeGreaterThan(10);
  });

  it('answers UNIMPLEMENTED for what is no call, and 415 for what is not gRPC', async () => {
    const { session } = await open();
    const unknown = request(session, '/größer %');
    const answer = answerOf(unknown);
    unknown.end();
    expect(await answer).toMatchObject({ status: '12', httpStatus: 200 });
    const html = session.request({ ':method': 'GET', ':path': '/' });
    expect(await answerOf(html)).toMatchObject({ httpStatus: 415 });
  });

  it.each([
    ['too long', Buffer.from([0, 0xff, 0, 0, 0]), '8'],
    ['compressed', Buffer.from([1, 0, 0, 0, 0, 0]), '3'],
    ['cut off', Buffer.from([0, 0, 0, 0, 9, 1, 2]), '3'],
  ])('answers a status for a message that is %s', async (_name, bytes, status) => {
    const { session, calls } = await open();
    const stream = request(session, '/echo');
    const answer = answerOf(stream);
    stream.end(bytes);
    expect(await answer).toMatchObject({ status });
    expect(calls.running()).toBe(0);
  });

  it('tells calls that their client has reset them or is gone', async () => {
    const { session, calls } = await open();
    const streams = [1, 2, 3].map(() => request(session, '/never'));
    for (const stream of streams) stream.write(grpcMessage(Buffer.from('x')));
    await until(() => calls.running() === 3);
    streams[0]?.close(8);
    await until(() => calls.running() === 2);
    session.destroy();
    await until(() => calls.running() === 0);
  });

  it('lives with thousands of resets, as Go sends them after each Read', async () => {
    const { session, calls } = await open();
    for (let turn = 0; turn < 5000; turn += 1) {
      const stream = request(session, '/never');
      stream.write(grpcMessage(Buffer.from('x')));
      stream.close(8);
      if (turn % 100 === 0) await systemClock.sleep(1);
    }
    const last = request(session, '/echo');
    const answer = answerOf(last);
    last.end(grpcMessage(Buffer.from('still here')));
    expect((await answer).status).toBe('0');
    expect(calls.running()).toBe(0);
  });

  it('answers pings', async () => {
    const { session } = await open();
    await new Promise((resolve) => session.once('connect', resolve));
    const payload = Buffer.from('8 bytes!');
    const echoed = await new Promise<Buffer>((resolve, reject) => {
      session.ping(payload, (error, _duration, bytes) => (error === null ? resolve(bytes) : reject(error)));
    });
    expect(echoed).toEqual(payload);
  });

  it('drain() lets running calls end and takes no new ones', async () => {
    const { session, endpoint, path } = await open();
    const stream = request(session, '/echo');
    const answer = answerOf(stream);
    stream.write(grpcMessage(Buffer.from('one')));
    await new Promise((resolve) => stream.once('data', resolve));
    let isDrained = false;
    const drained = endpoint.drain().then(() => {
      isDrained = true;
    });
    await new Promise((resolve) => session.once('goaway', resolve));
    expect(isDrained).toBe(false);
    stream.end();
    expect(await answer).toMatchObject({ status: '0' });
    await drained;
    const late = connectSocket(path);
    await new Promise((resolve) => late.once('error', resolve));
  });
});
