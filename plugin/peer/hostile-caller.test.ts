/** What the port does with callers that ask wrongly: bounded, counted, survived. */
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { eventually, METHOD, MemoryOffers, readAll, someBytes, type TestPeer, TestPeers } from './test-peers.ts';

const peers = new TestPeers();
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await peers.stop();
});

const BLOB = someBytes(8 * 1024 * 1024);

async function target(limits: NonNullable<Parameters<TestPeers['start']>[1]>['limits'] = {}, chunkBytes?: number) {
  const offers = new MemoryOffers(chunkBytes);
  const digest = offers.add(BLOB);
  const handlers = new Map([[METHOD.path, { method: METHOD, handle: async (request: object) => ({ request }) }]]);
  const a = await peers.start('node-a', { offers, handlers, limits });
  return { a, digest, ask: `GET /v1/blobs/${digest}/0-1000 HTTP/1.1\r\nHost: x\r\n\r\n` };
}

function dial(a: TestPeer): Socket {
  const socket = connect({ port: a.at.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

/** What came until the connection was closed, or for `ms`. */
function answerTo(a: TestPeer, bytes: string | Buffer, ms = 500): Promise<string> {
  return new Promise((resolve) => {
    const socket = dial(a);
    let text = '';
    socket.on('data', (part) => {
      text += part.toString('latin1');
    });
    const end = () => {
      socket.destroy();
      resolve(text);
    };
    socket.on('end', end);
    socket.on('close', end);
    setTimeout(end, ms);
    socket.write(bytes);
  });
}

const refused = (a: TestPeer, reason: string) => a.count(`shoal_peer_refusals_total{reason="${reason}"}`);
const accepted = (a: TestPeer) => a.count('shoal_peer_connections{direction="accepted"}');
const openFiles = () => readdirSync('/proc/self/fd').length;

describe('createPeerPort() asked', () => {
  it.each([
    ['for a range beyond every blob', '/v1/blobs/sha256:00/0-1'],
    ['for something else', '/etc/passwd'],
    ['for an empty range', `/v1/blobs/sha256:${'0'.repeat(64)}/5-5`],
  ])('%s says 400', async (_, path) => {
    const { a } = await target();
    expect(await answerTo(a, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`, 200)).toMatch(/^HTTP\/1.1 400 /);
    expect(await refused(a, 'bad_request')).toBe(1);
  });

  it.each([
    ['a header bomb', `GET / HTTP/1.1\r\nHost: x\r\n${'A: b\r\n'.repeat(10_000)}\r\n`],
    ['a header without an end', `GET / HTTP/1.1\r\nX: ${'a'.repeat(100_000)}`],
    ['a long path', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['TLS', Buffer.from('16030100050100000100', 'hex')],
    ['two lengths', `POST ${METHOD.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
    ['a tunnel', 'CONNECT 10.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n'],
  ])('with %s closes the connection', async (_, bytes) => {
    const { a } = await target();
    const startedMs = performance.now();
    expect(await answerTo(a, bytes, 3000)).not.toMatch(/^HTTP\/1.1 2/);
    expect(performance.now() - startedMs).toBeLessThan(2000);
    await eventually(async () => expect(await accepted(a)).toBe(0));
  });

  it('with messages that are too large, of another kind, or broken refuses them unread', async () => {
    const { a } = await target({ messageBytesMax: 1000 });
    const post = (fields: string, body = '') =>
      answerTo(
        a,
        `POST ${METHOD.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/proto\r\n${fields}\r\n\r\n${body}`,
        200,
      );
    expect(await post('Content-Length: 1001')).toMatch(/^HTTP\/1.1 429 /);
    expect(await post('Transfer-Encoding: chunked', 'ffffffff\r\n')).toMatch(/^HTTP\/1.1 400 /);
    expect(await post('Content-Length: 2', '{{')).toMatch(/^HTTP\/1.1 400 /);
    expect(await post('Content-Length: 2\r\nContent-Encoding: gzip', '{}')).toMatch(/^HTTP\/1.1 400 /);
    expect(await post('Content-Length: 2\r\nConnect-Timeout-Ms: -5', '{}')).toMatch(/^HTTP\/1.1 400 /);
    expect(await post('Content-Length: 2', '{}')).toMatch(/^HTTP\/1.1 200 .*\{"request":\{\}\}$/s);
    const unknown = 'POST /x/Y HTTP/1.1\r\nHost: x\r\nContent-Type: application/proto\r\nContent-Length: 0\r\n\r\n';
    expect(await answerTo(a, unknown, 200)).toContain('failed_precondition');
  });

  it('for the next thing before the answer to the last ends the connection', async () => {
    const { a, digest } = await target();
    const ask = `GET /v1/blobs/${digest}/0-${BLOB.length} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const socket = dial(a);
    const closed = new Promise((resolve) => socket.on('end', resolve).on('close', resolve));
    socket.write(ask.repeat(50));
    socket.resume();
    await closed;
    expect(await refused(a, 'pipelined')).toBe(1);
    await eventually(async () => expect(await accepted(a)).toBe(0));
  });

  it('by a reader that takes nothing gives it up', async () => {
    const { a, digest } = await target({ slowReaderMs: 200 });
    const socket = dial(a);
    socket.pause();
    socket.write(`GET /v1/blobs/${digest}/0-${BLOB.length} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await eventually(async () => expect(await refused(a, 'slow')).toBe(1));
    await eventually(async () => expect(await accepted(a)).toBe(0));
  });

  it('by a slow reader that takes a little all the time gives it everything', async () => {
    // In one chunk: each write of it would take longer than a reader that takes nothing is waited for.
    const { a, digest } = await target({ slowReaderMs: 400, sweepEveryMs: 50 }, BLOB.length);
    const socket = dial(a);
    socket.write(`GET /v1/blobs/${digest}/0-${BLOB.length} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    let received = 0;
    const startedMs = performance.now();
    const taking = setInterval(() => {
      const part: Buffer | null = socket.read(64 * 1024) ?? socket.read();
      received += part?.length ?? 0;
    }, 15);
    await new Promise((resolve) => socket.on('end', resolve).on('close', resolve));
    clearInterval(taking);
    expect(received).toBeGreaterThan(BLOB.length);
    expect(performance.now() - startedMs).toBeGreaterThan(1_000);
    expect(await refused(a, 'slow')).toBe(0);
  });

  it('slowly, in half or not at all ends the connection in time', async () => {
    const { a } = await target({ acceptedIdleMs: 300, requestBodyMs: 200 });
    const head = `POST ${METHOD.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/proto\r\nContent-Length: 9\r\n\r\n`;
    const drip = dial(a);
    const dripping = setInterval(() => drip.write('G'), 20);
    const [silent, half, halfBody] = [dial(a), dial(a), dial(a)];
    half.write('GET /v1/blo');
    halfBody.write(`${head}{`);
    const all = [drip, silent, half, halfBody];
    await Promise.all(
      all.map((socket) => new Promise((resolve) => socket.resume().on('end', resolve).on('close', resolve))),
    );
    clearInterval(dripping);
    await eventually(async () => expect(await accepted(a)).toBe(0));
  });

  it('by a half-open connection answers it and lets it go', async () => {
    const { a, ask } = await target();
    const socket = dial(a);
    let received = 0;
    socket.on('data', (bytes) => {
      received += bytes.length;
    });
    socket.write(ask);
    await eventually(async () => expect(received).toBeGreaterThan(1032));
    socket.end();
    await eventually(async () => expect(await accepted(a)).toBe(0));
  });

  it('by a thousand idle connections keeps to its bound and still answers', async () => {
    const { a, digest } = await target({ acceptedMax: 900 });
    const before = openFiles();
    const idle = Array.from({ length: 1000 }, () => dial(a));
    await Promise.all(idle.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    await eventually(async () => expect(await refused(a, 'too_many_connections')).toBe(100));
    expect(await accepted(a)).toBe(900);
    const b = await peers.start('node-b');
    const request = { digest, range: { start: 0, end: 1000 } };
    expect((await readAll(b.port, a.at, request)).bytes.length).toBe(1000);
    for (const socket of idle) socket.destroy();
    await eventually(async () => expect(await accepted(a)).toBeLessThanOrEqual(1));
    await eventually(async () => expect(openFiles()).toBeLessThan(before + 20));
  });

  it('at random crashes nothing, leaks nothing and goes on answering', async () => {
    const { a, digest, ask } = await target();
    const call = `POST ${METHOD.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/proto\r\nContent-Length: 2\r\n\r\n{}`;
    const before = openFiles();
    const valid = fc.constantFrom(Buffer.from(ask), Buffer.from(call));
    const mutated = fc
      .tuple(valid, fc.nat(150), fc.uint8Array({ maxLength: 20 }), fc.nat(10))
      .map(([bytes, at, put, cut]) => Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]));
    const random = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    const batch = fc.array(fc.oneof(mutated, random, valid), { minLength: 20, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(batch, async (requests) => {
        await Promise.all(requests.map((bytes) => sendAndLeave(a, bytes)));
      }),
      { numRuns: 100, interruptAfterTimeLimit: 4000 },
    );
    await eventually(async () => expect(await accepted(a)).toBe(0));
    await eventually(async () => expect(openFiles()).toBeLessThan(before + 20));
    expect(await refused(a, 'bad_request')).toBeGreaterThan(100);
    expect(a.logged.filter(({ level }) => level === 'error')).toEqual([]);
    const b = await peers.start('node-b');
    expect((await readAll(b.port, a.at, { digest, range: { start: 0, end: 5 } })).bytes.length).toBe(5);
  });
});

/** Without waiting for an answer longer than it takes to be read. */
function sendAndLeave(a: TestPeer, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port: a.at.port, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.resume();
    socket.end(bytes);
    setTimeout(() => socket.destroy(), 100).unref();
  });
}
