/** One of the demo's nodes: the daemon itself, in this process, in a folder of its own that goes with it. */
import { createServer } from 'node:net';
import { systemClock } from '../../core/runtime/clock.ts';
import type { Logger } from '../../core/runtime/log.ts';
import { createMetrics } from '../../core/runtime/metrics.ts';
import { parseNodeConfig } from '../../plugin/config.ts';
import { runNode } from '../../plugin/daemon.ts';
import { VERSION } from '../version.ts';

export interface DemoNode {
  readonly name: string;
  /** containerd's content socket. */
  readonly socket: string;
  /** `127.0.0.1:<port>` of the admin address. */
  readonly admin: string;
  stop(): Promise<void>;
}

export interface DemoNodeOptions {
  readonly name: string;
  /** The node's own. */
  readonly folder: string;
  /** `host:port` of a registry on loopback that speaks plain http. */
  readonly registry: string;
  /** This node's port in the mesh, and that of a member to join. */
  readonly meshPort: number;
  readonly joinPort: number;
  readonly keyFile: string;
  readonly log: Logger;
}

export async function startDemoNode(options: DemoNodeOptions): Promise<DemoNode> {
  const socket = `${options.folder}/content.sock`;
  const admin = `127.0.0.1:${await freePort()}`;
  const stop = new AbortController();
  const { promise: ready, resolve: onReady } = Promise.withResolvers<void>();
  const ended = runNode(demoConfig(options, { socket, admin }), {
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
    name: options.name,
    socket,
    admin,
    stop: () => {
      stop.abort();
      return ended;
    },
  };
}

function demoConfig(options: DemoNodeOptions, { socket, admin }: { socket: string; admin: string }) {
  const { name, folder, registry } = options;
  const text = `
    [node]
    name = "${name}"
    data_dir = "${folder}/data"
    [content]
    socket = "${socket}"
    root = "${folder}/content"
    containerd = ""
    [store]
    min_free = "0B"
    [mesh]
    bind = "127.0.0.1:${options.meshPort}"
    join = ["127.0.0.1:${options.joinPort}"]
    key_file = "${options.keyFile}"
    preset = "local"
    [peer]
    listen = "127.0.0.1:0"
    [mirror]
    listen = ""
    [admin]
    listen = "${admin}"
    [[upstream.registry]]
    host = "${registry}"
    endpoint = "http://${registry}"
  `;
  return parseNodeConfig({ text, file: 'demo', env: {}, hostName: name });
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('A TCP server has no port');
  return address.port;
}
