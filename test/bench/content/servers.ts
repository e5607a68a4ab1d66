/** The content services that are compared: ours by either transport, and containerd's own code over its own store. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { systemClock } from '../../../core/runtime/clock.ts';

const SERVE = join(import.meta.dirname, '../../conformance/serve-content.ts');
const CLIENT_SOURCE = join(import.meta.dirname, 'client');
/** Clock ticks a second in /proc (`getconf CLK_TCK`): 100 on every Linux that matters. */
const TICKS_PER_SECOND = 100;
const READY_DEADLINE_MS = 20_000;
const LOAD_STARTS_MS = 1_000;

export const SERVER_KINDS = ['direct', 'grpc-js', 'containerd'] as const;
export type ServerKind = (typeof SERVER_KINDS)[number];

export interface Usage {
  readonly cpuSeconds: number;
  readonly rssMiB: number;
  readonly peakRssMiB: number;
}

export interface RunningServer {
  readonly kind: ServerKind;
  readonly socket: string;
  usage(): Usage;
  stop(): Promise<void>;
}

/** What the Go client prints for each measurement. */
export interface Measurement {
  readonly what: string;
  readonly seconds: number;
  readonly mibps?: number;
  readonly calls?: number;
  readonly p50_us?: number;
  readonly p99_us?: number;
  readonly max_us?: number;
  readonly digest?: string;
}

/** @returns the program's path. @throws when Go cannot build it */
export function buildClient(directory: string): string {
  const program = join(directory, 'client');
  execFileSync('go', ['build', '-o', program, '.'], { cwd: CLIENT_SOURCE, stdio: ['ignore', 'inherit', 'inherit'] });
  return program;
}

export async function startServer(kind: ServerKind, at: { directory: string; client: string }): Promise<RunningServer> {
  const root = join(at.directory, `${kind}-store`);
  const socket = join(at.directory, `${kind}.sock`);
  mkdirSync(root, { recursive: true });
  const command =
    kind === 'containerd'
      ? [at.client, '-serve', root, '-socket', socket]
      : [process.execPath, SERVE, root, socket, kind];
  const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['pipe', 'ignore', 'inherit'] });
  await untilListening(child, socket);
  return {
    kind,
    socket,
    usage: () => usageOf(child.pid ?? 0),
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (kind === 'containerd') child.kill('SIGTERM');
      else child.stdin?.end();
      await ended;
    },
  };
}

/** An echo in a process of its own: what an answer that costs nothing takes on this machine. */
export async function startEcho(at: { directory: string; client: string }): Promise<{ socket: string; stop(): void }> {
  const socket = join(at.directory, 'echo.sock');
  const child = spawn(at.client, ['-serve-echo', socket], { stdio: ['ignore', 'ignore', 'inherit'] });
  await untilListening(child, socket);
  return { socket, stop: () => child.kill('SIGTERM') };
}

export interface Load {
  readonly client: string;
  readonly args: readonly string[];
  /** That the load itself may use; undefined = all. */
  readonly processors?: number;
}

/**
 * A client of its own that writes and reads at full speed while `work` runs.
 * @returns what `work` measured, and how fast the load was
 */
export async function whileLoaded(
  { client, args, processors }: Load,
  work: () => Promise<Measurement[]>,
): Promise<Measurement[]> {
  const env = { ...process.env, ...(processors === undefined ? {} : { GOMAXPROCS: String(processors) }) };
  const load = spawn(client, ['-what', 'load', ...args], { stdio: ['pipe', 'pipe', 'inherit'], env });
  const speeds = resultsOf(load, 'load');
  // Until somebody waits for it.
  speeds.catch(() => undefined);
  await systemClock.sleep(LOAD_STARTS_MS);
  const results = await work().finally(() => load.stdin.end());
  return [...results, ...(await speeds)];
}

async function untilListening(child: ChildProcess, socket: string): Promise<void> {
  const deadline = Date.now() + READY_DEADLINE_MS;
  while (!existsSync(socket)) {
    if (child.exitCode !== null) throw new Error(`Server ended with ${child.exitCode} before it listened`);
    if (Date.now() > deadline) throw new Error(`Server does not listen on "${socket}"`);
    await systemClock.sleep(20).then(() => undefined);
  }
}

/** What the kernel has counted for a process. */
function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
  const ticks = Number(stat[11]) + Number(stat[12]);
  return { cpuSeconds: ticks / TICKS_PER_SECOND, rssMiB: mib('VmRSS'), peakRssMiB: mib('VmHWM') };
}

/** Runs measurements of the client one after another. */
export function measure(client: string, args: readonly string[]): Promise<Measurement[]> {
  return resultsOf(spawn(client, [...args], { stdio: ['ignore', 'pipe', 'inherit'] }), args.join(' '));
}

async function resultsOf(child: ChildProcess & { stdout: Readable }, what: string): Promise<Measurement[]> {
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const results: Measurement[] = [];
  for await (const line of createInterface({ input: child.stdout })) results.push(JSON.parse(line));
  const code = await ended;
  if (code !== 0) throw new Error(`The client ended with ${code}: ${what}`);
  return results;
}
