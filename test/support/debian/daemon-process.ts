/**
 * One daemon process of a test: started with its output in files, stopped within a deadline. Dies with the test
 * process even when that is killed (`setpriv --pdeathsig`). Knows nothing of what it runs.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** How much of a log a failure quotes. */
const QUOTED_LOG_CHARS_MAX = 4_000;

const READY_POLL_MS = 25;

export interface DaemonSpec {
  /** What messages call it. */
  name: string;
  command: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** Files that stdout and stderr are appended to. */
  stdoutFile: string;
  stderrFile: string;
}

export interface DaemonProcess {
  readonly pid: number;
  isRunning(): boolean;
  /**
   * Polls `probe` until it returns something other than undefined, and returns that.
   * @throws Error, quoting the end of the log, when the process ends first or `deadlineMs` pass
   */
  waitUntil<T>(what: string, deadlineMs: number, probe: () => Promise<T | undefined>): Promise<T>;
  /** SIGTERM, then SIGKILL when it is still there after `deadlineMs`. Stopping twice is harmless. */
  terminate(deadlineMs: number): Promise<void>;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
}

/** Starts the daemon. @throws Error when the program cannot be started */
export async function startDaemon(spec: DaemonSpec): Promise<DaemonProcess> {
  const child = spawnLogged(spec);
  await once(child, 'spawn');
  const { pid } = child;
  if (pid === undefined) throw new Error(`Start of ${spec.name} gave no process id`);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return {
    pid,
    isRunning,
    kill,
    async waitUntil(what, deadlineMs, probe) {
      const end = performance.now() + deadlineMs;
      while (isRunning() && performance.now() < end) {
        const answer = await probe();
        if (answer !== undefined) return answer;
        await sleep(READY_POLL_MS);
      }
      const state = isRunning() ? `after ${deadlineMs} ms it has not` : 'it ended before it had';
      throw new Error(`Waiting until ${spec.name} ${what}: ${state}\n${await endOfFile(spec.stderrFile)}`);
    },
    async terminate(deadlineMs) {
      if (!isRunning()) return;
      child.kill('SIGTERM');
      const giveUp = AbortSignal.timeout(deadlineMs);
      const late = once(giveUp, 'abort').then(kill);
      await Promise.race([ended, late]);
    },
  };
}

function spawnLogged(spec: DaemonSpec): ChildProcess {
  const out = openSync(spec.stdoutFile, 'a');
  const err = openSync(spec.stderrFile, 'a');
  try {
    return spawn('setpriv', ['--pdeathsig', 'KILL', ...spec.command], {
      stdio: ['ignore', out, err],
      env: { ...process.env, ...spec.env },
    });
  } finally {
    closeSync(out);
    closeSync(err);
  }
}

/** The last few thousand characters of a log file; empty when there is none. */
export async function endOfFile(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.slice(-QUOTED_LOG_CHARS_MAX);
}
