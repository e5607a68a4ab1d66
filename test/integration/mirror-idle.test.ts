/** Ten thousand idle connections to a whole node: it stays up, small, and answers whoever asks. */
import { once } from 'node:events';
import { readFile, readFileSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/debian/eventually.ts';
import { type NodeProcess, startNode } from '../support/node/node-process.ts';

const IDLE = 10_000;
/** The mirror's own bound. */
const OPEN_MAX = 4_096;
/** Opened at once, so that the kernel's queue of the listener is not what is tested. */
const BATCH = 200;
const MIB = 1024 * 1024;
const DEADLINE_MS = 120_000;

const files = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 0);
const reason = files < IDLE + 1_000 ? `this process may open ${files} files only` : undefined;
if (reason !== undefined) process.stderr.write(`Ten thousand idle connections are not tested: ${reason}\n`);

describe('Ten thousand idle connections', () => {
  (reason === undefined ? it : it.skip)(
    'push each other out, cost little, and hold back no request',
    async () => {
      await using node = await startNode({ registries: [], mirror: true });
      const before = await residentBytes(node);
      const sockets: Socket[] = [];
      try {
        const answers: number[] = [];
        while (sockets.length < IDLE) {
          sockets.push(...(await Promise.all(Array.from({ length: BATCH }, () => opened(node.mirror)))));
          // Every other one begins a request that it never ends.
          for (const socket of sockets.slice(-BATCH / 2)) socket.write('GET /v2/ HTTP/1.1\r\n');
          answers.push((await fetch(`http://${node.mirror}/v2/`, { headers: { connection: 'close' } })).status);
        }
        expect(new Set(answers)).toEqual(new Set([200]));
        expect(await node.metric('shoal_mirror_connections')).toBeLessThanOrEqual(OPEN_MAX);
        const pushedOut = await node.metric('shoal_mirror_connections_refused_total', { closed: 'idle' });
        expect(pushedOut).toBeGreaterThanOrEqual(IDLE - OPEN_MAX);
        expect(await node.metric('shoal_mirror_connections_refused_total', { closed: 'new' })).toBe(0);
        expect((await residentBytes(node)) - before).toBeLessThan(200 * MIB);
      } finally {
        for (const socket of sockets) socket.destroy();
      }
      await eventually(
        () => node.metric('shoal_mirror_connections'),
        (count) => count === 0,
      );
      expect(await node.isReady()).toBe(true);
    },
    DEADLINE_MS,
  );
});

async function opened(address: string): Promise<Socket> {
  const { hostname, port } = new URL(`http://${address}`);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => undefined);
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

async function residentBytes(node: NodeProcess): Promise<number> {
  const status = await promisify(readFile)(`/proc/${node.pid()}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
