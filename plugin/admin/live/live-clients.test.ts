import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import { type Socket, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { codeOf } from '../../../core/runtime/errors.ts';
import { LIVE_CLIENTS_MAX, LiveClients } from './live-clients.ts';

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function serve() {
  const counts: number[] = [];
  const clients = new LiveClients((count) => counts.push(count));
  const refusals: unknown[] = [];
  const server = createServer((request, response) => {
    try {
      clients.add(request, response);
    } catch (error) {
      refusals.push(error);
      response.writeHead(429).end();
    }
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { clients, counts, refusals, port };
}

/** A client that says nothing more; `text` grows as bytes come, unless it is paused. */
async function open(port: number, method = 'GET') {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  const seen = { text: '' };
  socket.on('data', (chunk) => {
    seen.text += chunk;
  });
  socket.write(`${method} / HTTP/1.1\r\nHost: x\r\n\r\n`);
  await once(socket, 'data');
  return { socket, seen };
}

async function until(isThere: () => boolean): Promise<void> {
  for (const end = performance.now() + 5_000; !isThere(); await sleep(5)) {
    if (performance.now() > end) throw new Error('It does not come');
  }
}

describe('LiveClients', () => {
  it('tells events as the specification writes them, and that it is still there', async () => {
    const { clients, port } = await serve();
    const { seen } = await open(port);
    clients.tell('node', { name: 'a\nb' });
    clients.heartbeat();
    await until(() => seen.text.includes('still here'));
    expect(seen.text).toContain('content-type: text/event-stream');
    expect(seen.text).toContain('event: node\ndata: {"name":"a\\nb"}\n\n');
    expect(seen.text).toContain(': still here\n\n');
  });

  it('takes no more than may be there, and room is free when one goes', async () => {
    const { clients, counts, refusals, port } = await serve();
    for (let at = 0; at < LIVE_CLIENTS_MAX; at += 1) await open(port);
    const late = await open(port);
    expect(late.seen.text).toMatch(/^HTTP\/1\.1 429/);
    expect(refusals.map(codeOf)).toEqual(['RESOURCE_EXHAUSTED']);
    sockets[0]?.destroy();
    await until(() => clients.size === LIVE_CLIENTS_MAX - 1);
    expect(counts.at(-1)).toBe(LIVE_CLIENTS_MAX - 1);
  });

  it('cuts off one that takes nothing, and goes on with the others', async () => {
    const { clients, port } = await serve();
    const slow = await open(port);
    const fast = await open(port);
    slow.socket.pause();
    const much = 'x'.repeat(256 * 1024);
    for (let at = 0; at < 200 && clients.size === 2; at += 1) {
      clients.tell('much', much);
      await sleep(1);
    }
    await until(() => clients.size === 1);
    clients.tell('last', 1);
    await until(() => fast.seen.text.includes('event: last'));
  });

  it('answers HEAD without keeping it', async () => {
    const { clients, port } = await serve();
    await open(port, 'HEAD');
    expect(clients.size).toBe(0);
  });
});
