/**
 * Ports for daemons that have to be told theirs, or that come back on the one they had.
 *
 * A port that the kernel picks (`listen(0)`) may be picked again as soon as it is let go, by this process or as the near
 * end of anybody's connection. So these come from below the kernel's range (32768 and up, ip_local_port_range), each worker
 * of jest has a part of its own, and no call gets what another has got.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { errnoOf } from '../../../core/runtime/errors.ts';

const FIRST_PORT = 12_000;
const WORKERS_MAX = 8;
const PORTS_PER_WORKER = 2_500;

const worker = Number(process.env.JEST_WORKER_ID ?? 0) % WORKERS_MAX;
const first = FIRST_PORT + worker * PORTS_PER_WORKER;
// Each test file loads this anew; one that starts elsewhere than the last keeps clear of its ports.
const start = Math.floor(Math.random() * PORTS_PER_WORKER);
let used = 0;

/**
 * A TCP port of 127.0.0.1 that nobody listens on, and that no other call gets.
 * @throws Error when every port of this worker was given or is taken
 */
export async function freePort(): Promise<number> {
  while (used < PORTS_PER_WORKER) {
    const port = first + ((start + used++) % PORTS_PER_WORKER);
    if (await isFree(port)) return port;
  }
  throw new Error(`No port from ${first} to ${first + PORTS_PER_WORKER - 1} is left`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if (errnoOf(error) === 'EADDRINUSE') return false;
    throw error;
  }
  const closed = once(server, 'close');
  server.close();
  await closed;
  return true;
}
