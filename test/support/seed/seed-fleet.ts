/**
 * Nodes in this process that find each other by gossip, sealed by a key made for them: the daemon as `shoal serve` runs it, without
 * containerd.
 *
 * ```ts
 * await using fleet = await startSeedFleet({ registry });
 * const lines = await fleet.nodes[0].seed(request);
 * ```
 */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { systemClock } from '../../../core/runtime/clock.ts';
import { createLogger } from '../../../core/runtime/log.ts';
import { createMetrics } from '../../../core/runtime/metrics.ts';
import { parseNodeConfig } from '../../../plugin/config.ts';
import { runNode } from '../../../plugin/daemon.ts';
import type { SeedLine, SeedResult } from '../../../proto/shoal/seed/v1/seed-line.ts';
import type { SeedRequest } from '../../../proto/shoal/seed/v1/seed-request.ts';
import { eventually } from '../debian/eventually.ts';
import { makeTestDirectory, removeTestDirectory } from '../debian/test-directory.ts';
import type { NodeRegistry } from '../node/node-config.ts';
import { freePort } from '../debian/free-port.ts';

const KEY_BYTES = 32;

export interface SeedNodeOptions {
  readonly name: string;
  readonly zone?: string;
  /** Lines of `[store]`; default: room enough. */
  readonly store?: string;
  /** `content.root`; default: in the node's own folder. */
  readonly root?: string;
  /** `content.containerd`; default: none. */
  readonly containerd?: string;
}

export interface SeedNode {
  readonly name: string;
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** The lines of a seed's answer. @throws Error with the answer when it is none */
  seed(request: SeedRequest, call?: { signal?: AbortSignal }): Promise<SeedLine[]>;
  /** JSON lines of a GET. */
  rows(path: string): Promise<Record<string, unknown>[]>;
  post(path: string, body: unknown): Promise<Response>;
  log(): string;
  stop(): Promise<void>;
}

export interface SeedFleet extends AsyncDisposable {
  readonly nodes: readonly SeedNode[];
  readonly keyFile: string;
  /** Of a member, to join. */
  readonly joinPort: number;
  add(options: SeedNodeOptions): Promise<SeedNode>;
  /** Resolves when every node here knows so many alive. */
  met(count: number): Promise<void>;
}

export const THREE: readonly SeedNodeOptions[] = [{ name: 'node-a' }, { name: 'node-b' }, { name: 'node-c' }];

/** Resolves when every node knows all others. */
export async function startSeedFleet(options: {
  registry: NodeRegistry;
  nodes?: readonly SeedNodeOptions[];
}): Promise<SeedFleet> {
  const directory = await makeTestDirectory('shoal-seed-');
  const keyFile = join(directory, 'mesh.key');
  await writeFile(keyFile, randomBytes(KEY_BYTES).toString('base64'), { mode: 0o600 });
  const joinPort = await freePort();
  const nodes: SeedNode[] = [];
  const add = async (node: SeedNodeOptions) => {
    const meshPort = nodes.length === 0 ? joinPort : await freePort();
    const started = await startSeedNode(node, { ...options, directory, keyFile, joinPort, meshPort });
    nodes.push(started);
    return started;
  };
  const met = async (count: number) => {
    for (const node of nodes) {
      await eventually(
        async () => (await node.rows('/api/v1/nodes')).filter(isReached).length,
        (found) => found === count,
      );
    }
  };
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await removeTestDirectory(directory);
  };
  try {
    const wanted = options.nodes ?? THREE;
    for (const node of wanted) await add(node);
    await met(wanted.length);
    return { nodes, keyFile, joinPort, add, met, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function isReached(row: Record<string, unknown>): boolean {
  return row.reached === true;
}

interface Place {
  readonly registry: NodeRegistry;
  readonly directory: string;
  readonly keyFile: string;
  readonly joinPort: number;
  readonly meshPort: number;
}

async function startSeedNode(options: SeedNodeOptions, place: Place): Promise<SeedNode> {
  const folder = join(place.directory, options.name);
  await mkdir(folder, { recursive: true });
  const admin = `127.0.0.1:${await freePort()}`;
  const text = configText(options, place, { folder, admin });
  const config = parseNodeConfig({ text, file: 'test', env: {}, hostName: options.name });
  const written: string[] = [];
  const out = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  const stopping = new AbortController();
  const { promise: ready, resolve: onReady } = Promise.withResolvers<void>();
  const ended = runNode(config, {
    version: '0.0.0-test',
    log: createLogger({ level: 'debug', format: 'json', out }),
    metrics: createMetrics({ process: false }),
    clock: systemClock,
    random: Math.random,
    env: {},
    signal: stopping.signal,
    onReady,
  });
  await Promise.race([ready, ended]);
  const url = `http://${admin}`;
  const post = (path: string, body: unknown, call: { signal?: AbortSignal } = {}) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...call,
    });
  return {
    name: options.name,
    url,
    post,
    seed: async (request, call) => {
      const answer = await post('/api/v1/seeds', request, call);
      const answered = await answer.text();
      if (!answer.ok) throw new Error(`Seed was answered ${answer.status}: ${answered}`);
      return linesOf(answered);
    },
    rows: async (path) => linesOf(await (await fetch(`${url}${path}`)).text()),
    log: () => written.join(''),
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}

function linesOf<T>(text: string): T[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** The ends of a seed, by node and reference. */
export function resultsOf(lines: readonly SeedLine[]): SeedResult[] {
  const results = lines.flatMap((line) => (line.kind === 'result' ? [line] : []));
  return results.toSorted((a, b) => `${a.node} ${a.ref}`.localeCompare(`${b.node} ${b.ref}`));
}

function configText(
  { name, zone = '', store = 'capacity = "4GiB"\nmin_free = "0B"', root, containerd = '' }: SeedNodeOptions,
  { registry, keyFile, joinPort, meshPort }: Place,
  { folder, admin }: { folder: string; admin: string },
): string {
  return `
    [node]
    name = "${name}"
    zone = "${zone}"
    data_dir = "${folder}/data"
    [content]
    socket = "${folder}/content.sock"
    root = "${root ?? `${folder}/content`}"
    containerd = "${containerd}"
    [store]
    ${store}
    [mesh]
    bind = "127.0.0.1:${meshPort}"
    join = ["127.0.0.1:${joinPort}"]
    key_file = "${keyFile}"
    preset = "lan"
    [peer]
    listen = "127.0.0.1:0"
    [mirror]
    listen = ""
    [admin]
    listen = "${admin}"
    [upstream]
    docker_config = ""
    [[upstream.registry]]
    host = "${registry.host}"
    endpoint = "${registry.url}"
  `;
}
