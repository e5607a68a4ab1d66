/**
 * A real `shoal serve` for one test, as a child process with its own directory.
 *
 * ```ts
 * await using node = await startNode({ containerdSocket: '/tmp/x/c.sock', registries: [registry] });
 * await node.metric('shoal_claims_total', { answer: 'fleet' });
 * await node.kill(); await node.start();                    // a crash; restart() is SIGTERM and start
 * ```
 *
 * The configuration file is written once, before the first start.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type DaemonProcess, endOfFile, startDaemon } from '../debian/daemon-process.ts';
import { freePort } from '../debian/free-port.ts';
import { makeTestDirectory, removeTestDirectory } from '../debian/test-directory.ts';
import { sumOfMetric } from './metrics-text.ts';
import { type NodeSettings, contentRootOf, contentSocketOf, nodeConfigText } from './node-config.ts';

const READY_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 15_000;
const ANSWER_DEADLINE_MS = 5_000;
const PROGRAM = resolve(import.meta.dirname, '../../../cli/main.ts');

export interface NodeOptions extends Omit<NodeSettings, 'directory' | 'adminPort' | 'mirrorPort'> {
  /** Opens the mirror on a free port. */
  mirror?: boolean;
  /** Keep everything below this directory and leave it there at the end. Default: a temp one that `stop` removes. */
  directory?: string;
}

export interface NodeProcess extends AsyncDisposable {
  readonly directory: string;
  /** Where containerd finds it. */
  readonly contentSocket: string;
  readonly contentRoot: string;
  /** `http://127.0.0.1:PORT`. */
  readonly adminUrl: string;
  /** `127.0.0.1:PORT` of the mirror; empty when it is off. */
  readonly mirror: string;
  readonly configFile: string;
  /** The sum of a metric's samples with these labels. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  /** Whether `/readyz` says yes. */
  isReady(): Promise<boolean>;
  /** `/api/v1/status`. */
  status(): Promise<object>;
  /** The rows of `/api/v1/claims`, `/api/v1/flights`, `/api/v1/blobs` or `/api/v1/swarms`. */
  rows(what: 'claims' | 'flights' | 'blobs' | 'swarms'): Promise<NodeRow[]>;
  /** How many members it knows alive. */
  membersAlive(): Promise<number>;
  /** Everything that it wrote to stdout and stderr. */
  log(): Promise<string>;
  /** The end of that, for messages. */
  logEnd(): Promise<string>;
  isRunning(): boolean;
  pid(): number;
  /** Starts it again after `kill` or `terminate`, with the configuration file as it is now; waits until it is ready. */
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for its end. @throws Error when it had to be killed */
  terminate(): Promise<void>;
  /** `terminate`, then `start`. */
  restart(): Promise<void>;
  /** `terminate`, and removes a temp directory. Stopping twice is harmless. */
  stop(): Promise<void>;
}

/** What every kind of row has; others have more. */
export interface NodeRow {
  readonly digest: string;
  readonly size: number;
  /** Flights only. */
  readonly bytes_present?: number;
  /** Blobs only. */
  readonly holds?: readonly string[];
}

/** Starts a node and waits until it is ready. @throws Error with its log when it is not */
export async function startNode(options: NodeOptions): Promise<NodeProcess> {
  const directory = options.directory ?? (await makeTestDirectory('shoal-node-'));
  await mkdir(directory, { recursive: true });
  const settings: NodeSettings = {
    ...options,
    directory,
    adminPort: await freePort(),
    ...(options.mirror && { mirrorPort: await freePort() }),
  };
  await writeFile(join(directory, 'shoal.toml'), nodeConfigText(settings));
  await writeFile(join(directory, 'docker.json'), '{}');
  const node = handleOf(settings, options.directory === undefined);
  try {
    await node.start();
    return node;
  } catch (error) {
    await node.stop();
    throw error;
  }
}

function handleOf(settings: NodeSettings, isTemporary: boolean): NodeProcess {
  const { directory } = settings;
  const adminUrl = `http://127.0.0.1:${settings.adminPort}`;
  const configFile = join(directory, 'shoal.toml');
  const logFile = join(directory, 'shoal.log');
  let daemon: DaemonProcess | undefined;
  const ask = (path: string) => textAt(`${adminUrl}${path}`);
  const start = async () => {
    if (daemon?.isRunning()) return;
    daemon = await spawnNode(configFile, logFile);
    await daemon.waitUntil('is ready', READY_DEADLINE_MS, async () => ((await isReady(adminUrl)) ? true : undefined));
  };
  const terminate = async () => {
    const startedMs = performance.now();
    await daemon?.terminate(STOP_DEADLINE_MS);
    if (performance.now() - startedMs < STOP_DEADLINE_MS) return;
    throw new Error(
      `shoal serve had to be killed: it ran ${STOP_DEADLINE_MS} ms after SIGTERM\n${await endOfFile(logFile)}`,
    );
  };
  const stop = async () => {
    try {
      await terminate();
    } finally {
      if (isTemporary) await removeTestDirectory(directory);
    }
  };
  return {
    ...{ directory, adminUrl, configFile, start, terminate, stop },
    mirror: settings.mirrorPort === undefined ? '' : `127.0.0.1:${settings.mirrorPort}`,
    contentSocket: contentSocketOf(directory),
    contentRoot: contentRootOf(settings),
    metric: async (name, labels) => sumOfMetric(await ask('/metrics'), name, labels),
    isReady: () => isReady(adminUrl),
    status: async () => JSON.parse(await ask('/api/v1/status')),
    rows: async (what) => linesOf(await ask(`/api/v1/${what}`)),
    membersAlive: async () => (await ask('/api/v1/members')).split('"state":"alive"').length - 1,
    log: () => readFile(logFile, 'utf8').catch(() => ''),
    logEnd: () => endOfFile(logFile),
    isRunning: () => daemon?.isRunning() ?? false,
    pid: () => daemon?.pid ?? 0,
    kill: async () => daemon?.kill(),
    restart: async () => {
      await terminate();
      await start();
    },
    [Symbol.asyncDispose]: stop,
  };
}

function spawnNode(configFile: string, logFile: string): Promise<DaemonProcess> {
  return startDaemon({
    name: 'shoal serve',
    command: [process.execPath, PROGRAM, 'serve', '--config', configFile],
    // What jest tells its own process is not meant for this one.
    env: { NODE_OPTIONS: '', NO_COLOR: '1' },
    stdoutFile: logFile,
    stderrFile: logFile,
  });
}

async function textAt(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_DEADLINE_MS) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`GET ${url} answered ${answer.status}: ${text}`);
  return text;
}

async function isReady(adminUrl: string): Promise<boolean> {
  const call = { signal: AbortSignal.timeout(ANSWER_DEADLINE_MS) };
  return fetch(`${adminUrl}/readyz`, call).then(
    async (answer) => {
      await answer.text();
      return answer.ok;
    },
    () => false,
  );
}

function linesOf(text: string): NodeRow[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
