/**
 * Runs the benchmark where it can leave nothing behind: in network, mount and process namespaces of its own. Its nodes,
 * cables, bridges and memory file systems exist in there only, and the kernel takes all of them away when the first process in there
 * ends, however it ends; that process in turn dies with this one (`--pdeathsig`, `--kill-child`).
 * Only files on disk would be left; the folder that holds them carries the process id, and the next run removes those of dead ones.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'shoal-fleet-';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface SandboxCommand {
  /** A TypeScript file. */
  readonly program: string;
  /** Its arguments, given the folder on disk that it may fill. */
  args(directory: string): readonly string[];
}

/** @returns the exit status, 128 and the signal's number when this process was told to end */
export async function runInSandbox({ program, args }: SandboxCommand): Promise<number> {
  await removeLeftovers();
  const directory = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const command = ['--pdeathsig', 'KILL', 'unshare', ...namespaces, process.execPath, program, ...args(directory)];
  let stoppedBy: (typeof SIGNALS)[number] | undefined;
  const child = spawn('setpriv', command, { stdio: ['ignore', 'inherit', 'inherit'] });
  const handlers = SIGNALS.map((signal) => {
    const handler = () => {
      stoppedBy ??= signal;
      child.kill('SIGKILL');
    };
    process.on(signal, handler);
    return { signal, handler };
  });
  try {
    const [exitCode] = await once(child, 'exit');
    if (stoppedBy !== undefined) return 128 + constants.signals[stoppedBy];
    return typeof exitCode === 'number' ? exitCode : 1;
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    for (const { signal, handler } of handlers) process.off(signal, handler);
  }
}

/** Folders of runs whose process is gone. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
