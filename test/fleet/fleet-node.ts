/** One `shoal serve` on its own machine of the fleet. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createAdminClient } from '../../cli/admin-client.ts';
import { type DaemonProcess, endOfFile, startDaemon } from '../support/debian/daemon-process.ts';
import { sumOfMetric } from '../support/node/metrics-text.ts';
import type { Machine } from './address-plan.ts';
import { ADMIN_PORT, type FleetNodeSettings, fleetNodeConfig } from './fleet-node-config.ts';
import { onMachine } from './network.ts';

const PROGRAM = resolve(import.meta.dirname, '../../cli/main.ts');
/** Many start at once on few processors. */
const READY_DEADLINE_MS = 60_000;
const READY_POLL_MS = 200;
const STOP_DEADLINE_MS = 15_000;
const ANSWER_DEADLINE_MS = 10_000;

export interface FleetNode {
  readonly machine: Machine;
  readonly name: string;
  /** Where its blobs lie. */
  readonly contentRoot: string;
  readonly logFile: string;
  pid(): number;
  isRunning(): boolean;
  /** Starts it and waits until it is ready. @throws Error with its log when it does not get there */
  start(): Promise<void>;
  /** SIGTERM, and waits for its end. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** What `/metrics` says now. @throws Error when the node does not answer */
  metrics(): Promise<NodeMetrics>;
  /** What the node answers to a pull, a value a line. */
  pull(ref: string): Promise<AsyncGenerator<unknown>>;
  logEnd(): Promise<string>;
}

export interface NodeMetrics {
  /** Members that it knows to be alive, itself included; undefined when it has no mesh. */
  readonly membersAlive: number | undefined;
  readonly upstreamBytes: number;
  readonly peerBytesReceived: number;
  readonly peerBytesSent: number;
  readonly bans: number;
}

/** Writes its files; it runs after `start`. `nodeFlags`: of its runtime. */
export async function createFleetNode(settings: FleetNodeSettings, nodeFlags: readonly string[]): Promise<FleetNode> {
  const { machine, directory } = settings;
  await mkdir(directory, { recursive: true });
  const configFile = join(directory, 'shoal.toml');
  const logFile = join(directory, 'shoal.log');
  await writeFile(configFile, fleetNodeConfig(settings));
  await writeFile(join(directory, 'docker.json'), '{}');
  const admin = `${machine.watchAddress}:${ADMIN_PORT}`;
  const command = [process.execPath, ...nodeFlags, PROGRAM, 'serve', '--config', configFile];
  let daemon: DaemonProcess | undefined;
  return {
    ...{ machine, name: machine.name, logFile, contentRoot: join(directory, 'content') },
    pid: () => daemon?.pid ?? 0,
    isRunning: () => daemon?.isRunning() ?? false,
    async start() {
      daemon = await spawnNode(machine, command, logFile);
      await daemon.waitUntil('is ready', READY_DEADLINE_MS, () => readiness(admin));
    },
    stop: async () => daemon?.terminate(STOP_DEADLINE_MS),
    kill: async () => daemon?.kill(),
    metrics: async () => metricsIn(await textAt(`http://${admin}/metrics`)),
    pull: async (ref) =>
      (await createAdminClient({ admin, tokenFile: settings.tokenFile })).post('/api/v1/pull', { ref }),
    logEnd: () => endOfFile(logFile),
  };
}

function spawnNode(machine: Machine, command: readonly string[], logFile: string): Promise<DaemonProcess> {
  return startDaemon({
    name: `shoal serve of ${machine.name}`,
    command: onMachine(machine, command),
    env: { NODE_OPTIONS: '', NO_COLOR: '1' },
    stdoutFile: logFile,
    stderrFile: logFile,
  });
}

/** Asked no more often than a start takes, since asking costs a processor that starting wants. */
async function readiness(admin: string): Promise<true | undefined> {
  const isReady = await textAt(`http://${admin}/readyz`).then(
    () => true,
    () => false,
  );
  if (isReady) return true;
  await new Promise((wake) => setTimeout(wake, READY_POLL_MS));
  return undefined;
}

async function textAt(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_DEADLINE_MS) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`GET ${url} answered ${answer.status}: ${text}`);
  return text;
}

function metricsIn(text: string): NodeMetrics {
  const hasMesh = text.includes('\nshoal_mesh_members{');
  return {
    membersAlive: hasMesh ? sumOfMetric(text, 'shoal_mesh_members', { state: 'alive' }) : undefined,
    upstreamBytes: sumOfMetric(text, 'shoal_upstream_bytes_total'),
    peerBytesReceived: sumOfMetric(text, 'shoal_peer_bytes_total', { direction: 'received' }),
    peerBytesSent: sumOfMetric(text, 'shoal_peer_bytes_total', { direction: 'sent' }),
    bans: sumOfMetric(text, 'shoal_bans_total'),
  };
}
