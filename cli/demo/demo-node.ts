/** The demo's node: the daemon itself, in this process, in a folder of its own that goes with it. */
import { createServer } from 'node:net';
import { systemClock } from '../../core/runtime/clock.ts';
import type { Logger } from '../../core/runtime/log.ts';
import { createMetrics } from '../../core/runtime/metrics.ts';
import { parseNodeConfig } from '../../plugin/config.ts';
import { runNode } from '../../plugin/daemon.ts';
import { VERSION } from '../version.ts';

export interface DemoNode {
  /** containerd's content socket. */
  readonly socket: string;
  /** `127.0.0.1:<port>` of the admin address. */
  readonly admin: string;
  stop(): Promise<void>;
}

/** @param options.registry `host:port` of a registry on loopback that speaks plain http */
export async function startDemoNode(options: { folder: string; registry: string; log: Logger }): Promise<DemoNode> {
  const socket = `${options.folder}/content.sock`;
  const admin = `127.0.0.1:${await freePort()}`;
  const stop = new AbortController();
  const { promise: ready, resolve: onReady } = Promise.withResolvers<void>();
  const ended = runNode(demoConfig({ ...options, socket, admin }), {
    version: VERSION,
    log: options.log,
    metrics: createMetrics({ process: false }),
    clock: systemClock,
    random: Math.random,
    env: {},
    signal: stop.signal,
    onReady,
  });
  await Promise.race([ready, ended]);
  return {
    socket,
    admin,
    stop: () => {
      stop.abort();
      return ended;
    },
  };
}

function demoConfig({
  folder,
  registry,
  socket,
  admin,
}: {
  folder: string;
  registry: string;
  socket: string;
  admin: string;
}) {
  const text = `
    [node]
    name = "demo"
    data_dir = "${folder}/data"
    [content]
    socket = "${socket}"
    root = "${folder}/content"
    containerd = ""
    [store]
    min_free = "0B"
    [mesh]
    enabled = false
    [mirror]
    listen = ""
    [admin]
    listen = "${admin}"
    [[upstream.registry]]
    host = "${registry}"
    endpoint = "http://${registry}"
  `;
  return parseNodeConfig({ text, file: 'demo', env: {}, hostName: 'demo' });
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('A TCP server has no port');
  return address.port;
}
