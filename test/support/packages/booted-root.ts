/**
 * A Debian root with its own systemd, for one test: installing, upgrading and removing as on a machine of its own. The root itself is made by
 * `.ci/package-roots` and only read. Linux and root only; the machine's services and network are not touched.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, readdir, rmdir } from 'node:fs/promises';
import { existsSync, openSync, closeSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type CommandResult, runCommand } from '../debian/run-command.ts';
import { eventually } from '../debian/eventually.ts';
import { makeTestDirectory, removeTestDirectory } from '../debian/test-directory.ts';

const BOOT_DEADLINE_MS = 60_000;
/** What `boot-root` puts a machine into. */
const NAMESPACES = ['--mount', '--pid', '--fork', '--uts', '--ipc', '--net', '--cgroup', '--'];
const REPOSITORY = resolve(import.meta.dirname, '../../..');

export type Suite = 'bookworm' | 'trixie';

/** Where `.ci/package-roots` puts a root, or something else that the tests of packages need. */
export function packageRoot(name: string): string {
  return join(process.env.SHOAL_TEST_WORK ?? join(REPOSITORY, '.work'), `package-root-${name}`);
}

/** Why none can be booted here; undefined when one can. */
export function bootUnavailable(suite: Suite): string | undefined {
  if (process.getuid?.() !== 0) return 'booting a root needs root';
  if (!existsSync(join(packageRoot(suite), '.complete')))
    return `there is no ${packageRoot(suite)} (.ci/package-roots makes it)`;
  if (cgroupTop() === undefined) return 'no cgroup2 hierarchy is mounted at /sys/fs/cgroup';
  const { status, stderr } = spawnSync('unshare', [...NAMESPACES, 'true'], { encoding: 'utf8' });
  return status === 0 ? undefined : `namespaces cannot be had: ${stderr}`;
}

/** Where cgroup2 is, alone or beside the older hierarchies. */
function cgroupTop(): string | undefined {
  return ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((path) => existsSync(join(path, 'cgroup.procs')));
}

export interface BootedRoot {
  /** Runs a shell script in it; look at `exitCode`. */
  sh(script: string, deadlineMs?: number): Promise<CommandResult>;
  /** Likewise. @throws Error with what it said when it fails */
  ok(script: string, deadlineMs?: number): Promise<string>;
  /** Runs one of this machine's programs in its network. @throws Error when it fails */
  inItsNetwork(command: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

/** Boots it; `packages` are then in `/packages`. @throws Error with its output when it does not come up */
export async function bootRoot(suite: Suite, packages: readonly string[]): Promise<BootedRoot> {
  const directory = await makeTestDirectory(`shoal-${suite}-`);
  await mkdir(join(directory, 'packages'));
  for (const file of packages) await copyFile(file, join(directory, 'packages', basename(file)));
  const cgroup = join(cgroupTop() ?? '', basename(directory));
  await mkdir(cgroup);
  const log = join(directory, 'boot.log');
  const output = openSync(log, 'a');
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', join(import.meta.dirname, 'boot-root'), packageRoot(suite), directory, cgroup],
    { stdio: ['ignore', output, output] },
  );
  closeSync(output);
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    await removeCgroup(cgroup);
    await removeTestDirectory(directory);
  };
  const enter = async (pid: string, namespaces: readonly string[], command: readonly string[], deadlineMs?: number) =>
    runCommand(
      'nsenter',
      ['--target', pid, ...namespaces, '--', ...command],
      deadlineMs === undefined ? {} : { deadlineMs },
    );
  try {
    const pid = await eventually(
      () => systemdIn(child.pid),
      (found) => found !== '',
      BOOT_DEADLINE_MS,
    );
    const sh = (script: string, deadlineMs?: number) =>
      enter(
        pid,
        ['--all'],
        ['env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'DEBIAN_FRONTEND=noninteractive', 'sh', '-c', script],
        deadlineMs,
      );
    await eventually(
      () => sh('systemctl is-system-running'),
      ({ stdout }) => /running|degraded/.test(stdout),
      BOOT_DEADLINE_MS,
    );
    return {
      sh,
      ok: async (script, deadlineMs) => told(script, await sh(script, deadlineMs)),
      inItsNetwork: async (command) => told(command.join(' '), await enter(pid, ['--net'], command)),
      stop,
    };
  } catch (error) {
    const said = await readFile(log, 'utf8').catch(() => '');
    await stop();
    throw new Error(`Booting ${suite} failed: ${said}`, { cause: error });
  }
}

function told(what: string, { exitCode, stdout, stderr }: CommandResult): string {
  if (exitCode !== 0) throw new Error(`"${what}" ended with ${exitCode}\n${stdout}${stderr}`);
  return stdout;
}

/** The process id of the systemd below a process, as this machine counts; empty as long as it has not begun. */
async function systemdIn(parent: number | undefined): Promise<string> {
  const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8').catch(() => '');
  for (const pid of children.split(' ').filter((text) => text !== '')) {
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
    if (name.trim() === 'systemd') return pid;
  }
  return '';
}

/** Groups are removed from the innermost; a process that is still going keeps its group for a moment. */
async function removeCgroup(path: string): Promise<void> {
  await eventually(
    async () => {
      await removeBelow(path);
      return existsSync(path);
    },
    (isThere) => !isThere,
  );
}

async function removeBelow(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeBelow(join(path, entry.name));
  await rmdir(path).catch(() => undefined);
}
