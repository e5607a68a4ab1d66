/**
 * A real dockerd (Debian's docker.io of bookworm and of sid, unpacked by `.ci/debian-packages` into `$SHOAL_TEST_WORK/docker-<version>`)
 * beside a test's own containerd, without networks: it pulls and lists images. Its daemon.json is written by whoever starts it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type CommandResult, runCommand } from '../debian/run-command.ts';
import { endOfFile, startDaemon } from '../debian/daemon-process.ts';

const READY_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 15_000;

export const DOCKER_VERSIONS = ['20.10', '28'] as const;
export type DockerVersion = (typeof DOCKER_VERSIONS)[number];

function programs(version: DockerVersion): { dockerd: string; docker: string } {
  const repository = resolve(import.meta.dirname, '../../..');
  const folder = join(process.env.SHOAL_TEST_WORK ?? join(repository, '.work'), `docker-${version}/usr`);
  return { dockerd: join(folder, 'sbin/dockerd'), docker: join(folder, 'bin/docker') };
}

/** Why none can be started here; undefined when one can. */
export function dockerdUnavailable(version: DockerVersion): string | undefined {
  if (process.getuid?.() !== 0) return 'dockerd needs root';
  const { dockerd } = programs(version);
  if (!existsSync(dockerd)) return `dockerd is not at ${dockerd} (.ci/debian-packages puts it there)`;
  const { status, stderr } = spawnSync(dockerd, ['--version'], { encoding: 'utf8' });
  return status === 0 ? undefined : `${dockerd} does not run: ${stderr}`;
}

export interface Dockerd extends AsyncDisposable {
  /** Runs `docker` against it; look at `exitCode`. */
  docker(args: readonly string[]): Promise<CommandResult>;
  /** The end of its log. */
  log(): Promise<string>;
  stop(): Promise<void>;
}

export interface DockerdOptions {
  version: DockerVersion;
  directory: string;
  configFile: string;
  containerdSocket: string;
  /** Docker's own graph driver, or, where it keeps images in containerd, a snapshotter of that. Default: `vfs`. */
  storageDriver?: string;
  /** Besides the test's own environment. */
  env?: NodeJS.ProcessEnv;
}

/** @throws Error with its log when it does not start */
export async function startDockerd(options: DockerdOptions): Promise<Dockerd> {
  const { version, directory, configFile, containerdSocket, storageDriver = 'vfs', env = {} } = options;
  await mkdir(directory, { recursive: true });
  const { dockerd, docker } = programs(version);
  const host = `unix://${join(directory, 'd.sock')}`;
  const log = join(directory, 'dockerd.log');
  const daemon = await startDaemon({
    name: `dockerd ${version}`,
    command: [
      ...[dockerd, '--host', host, '--config-file', configFile, '--containerd', containerdSocket],
      ...['--data-root', join(directory, 'root'), '--exec-root', join(directory, 'exec')],
      ...['--pidfile', join(directory, 'pid'), '--storage-driver', storageDriver],
      ...['--iptables=false', '--ip6tables=false', '--bridge=none', '--userland-proxy=false'],
    ],
    env,
    stdoutFile: log,
    stderrFile: log,
  });
  const run = (args: readonly string[]) =>
    runCommand(docker, ['--host', host, ...args], { env: { HOME: directory, DOCKER_CONFIG: directory } });
  const stop = () => daemon.terminate(STOP_DEADLINE_MS);
  try {
    await daemon.waitUntil('answers', READY_DEADLINE_MS, async () =>
      (await run(['version'])).exitCode === 0 ? true : undefined,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { docker: run, log: () => endOfFile(log), stop, [Symbol.asyncDispose]: stop };
}
