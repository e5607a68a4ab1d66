/** What a node does with peers that answer wrongly: every range ends in time, nothing wrong is handed on, nothing stays open. */
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { digestOf } from '../../core/oci/digest.ts';
import { METHOD, NO_END, readAll, TestPeers } from './test-peers.ts';

const peers = new TestPeers();
const servers: Array<{ server: Server; sockets: Set<Socket> }> = [];
afterEach(async () => {
  await peers.stop();
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

const BYTES = 100_000;
const REQUEST = { digest: digestOf('x'), range: { start: 0, end: BYTES } };
const LIMITS = { silentMs: 150, connectTimeoutMs: 500 };
const HEAD = `HTTP/1.1 200 OK\r\nContent-Length: ${BYTES + 32}\r\n\r\n`;
const WHOLE = Buffer.concat([Buffer.from(HEAD), Buffer.alloc(BYTES + 32, 1)]);

/** A peer that answers every request by `answer`. */
async function impostor(answer: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', () => answer(socket));
  });
  servers.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { at: { name: 'node-x', host: '127.0.0.1', port }, sockets };
}

const writes =
  (...parts: Array<string | Buffer>) =>
  (socket: Socket) => {
    for (const part of parts) socket.write(part);
  };

function forEver(socket: Socket): void {
  const more = () => {
    while (socket.writable && socket.write(Buffer.alloc(64 * 1024, 1)));
  };
  socket.write(HEAD);
  socket.on('drain', more);
  more();
}

const ANSWERS: ReadonlyArray<[string, (socket: Socket) => void]> = [
  ['says nothing', () => undefined],
  ['closes at once', (socket) => socket.destroy()],
  ['sends half a head', writes('HTTP/1.1 200 OK\r\nConte')],
  ['sends a head without an end', writes('HTTP/1.1 200 OK\r\n', Buffer.alloc(100_000, 'a'))],
  ['sends a thousand fields', writes(`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(1000)}\r\n`)],
  ['sends something else', writes(Buffer.alloc(5000, 0))],
  ['says another length', writes('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde')],
  ['says a huge length', writes('HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\nabcde')],
  ['fails with an endless text', writes('HTTP/1.1 500 No\r\nContent-Length: 99999999\r\n\r\n', Buffer.alloc(1e6, 'a'))],
  ['sends too little and closes', (socket) => socket.end(WHOLE.subarray(0, 50_000))],
  ['sends too little and waits', writes(WHOLE.subarray(0, 50_000))],
];

describe('readRange() from a peer that', () => {
  it.each(ANSWERS)('%s ends as UNAVAILABLE, in time', async (_, answer) => {
    const { at, sockets } = await impostor(answer);
    const b = await peers.start('node-b', { limits: LIMITS });
    const startedMs = performance.now();
    await expect(readAll(b.port, at, REQUEST)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(performance.now() - startedMs).toBeLessThan(2000);
    expect(await b.count('shoal_peer_connections{direction="outgoing"}')).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sockets.size).toBe(0);
  });

  it('sends too much gives the range, no byte more, and loses its connection', async () => {
    for (const answer of [writes(WHOLE, Buffer.alloc(70_000, 2)), forEver]) {
      const { at, sockets } = await impostor(answer);
      const b = await peers.start('node-b', { limits: LIMITS });
      // It depends on when the surplus comes whether the range was whole before.
      const read = await readAll(b.port, at, REQUEST).catch((error: unknown) => error);
      if (read instanceof Error) expect(read).toMatchObject({ code: 'UNAVAILABLE' });
      else expect(read).toMatchObject({ bytes: { length: BYTES }, sha256: '01'.repeat(32) });
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(sockets.size).toBe(0);
    }
  });

  it('does not listen at all is UNAVAILABLE', async () => {
    const b = await peers.start('node-b');
    const at = { name: 'node-x', host: '127.0.0.1', port: 1 };
    await expect(readAll(b.port, at, REQUEST)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('answers at random crashes nothing and leaves nothing open', async () => {
    let answer = Buffer.alloc(0);
    const { at, sockets } = await impostor((socket) => socket.end(answer));
    const b = await peers.start('node-b', { limits: LIMITS });
    const small = { ...REQUEST, range: { start: 0, end: 100 } };
    const valid = Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 132\r\n\r\n'), Buffer.alloc(132, 1)]);
    const mutated = fc
      .tuple(fc.nat(valid.length), fc.uint8Array({ maxLength: 20 }), fc.nat(10))
      .map(([at, put, cut]) =>
        Buffer.concat([valid.subarray(0, at), put, valid.subarray(Math.min(valid.length, at + cut))]),
      );
    const random = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutated, random), async (bytes) => {
        answer = bytes;
        const read = await readAll(b.port, at, small).catch((error: unknown) => error);
        if (!(read instanceof Error)) expect(read).toMatchObject({ bytes: { length: 100 } });
      }),
      { numRuns: 500, interruptAfterTimeLimit: 4000 },
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sockets.size).toBe(0);
    expect(await b.count('shoal_peer_connections{direction="outgoing"}')).toBe(0);
  });
});

describe('call() to a peer that', () => {
  const call = (port: Awaited<ReturnType<TestPeers['start']>>['port'], at: Parameters<typeof readAll>[1]) =>
    port.call(at, METHOD, {}, { signal: NO_END, deadlineMs: 2000 });

  it.each([
    ['says a huge length', 'HTTP/1.1 200 OK\r\nContent-Type: application/proto\r\nContent-Length: 99999999\r\n\r\n'],
    ['sends another type', 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}'],
    ['sends no message', 'HTTP/1.1 200 OK\r\nContent-Type: application/proto\r\nContent-Length: 2\r\n\r\n{{'],
    ['pretends that we gave up', 'HTTP/1.1 499 No\r\nContent-Length: 19\r\n\r\n{"code":"canceled"}'],
    ['says nothing', ''],
  ])('%s is UNAVAILABLE', async (_, answer) => {
    const { at } = await impostor(writes(answer));
    const b = await peers.start('node-b', { limits: LIMITS });
    await expect(call(b.port, at)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
