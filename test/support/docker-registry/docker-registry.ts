/**
 * Debian's docker-registry (distribution 2.8.2) on a loopback port of its own, with its files in a temp directory.
 *
 * ```ts
 * await using registry = await startDockerRegistry();                       // or { credentials: { username, password } }
 * await pushImage(registry.target('library/hello'), { blobs, manifests, tag: 'v1' });   // push.ts
 * await node.pull(`${registry.host}/library/hello:v1`);
 * expect(await registry.blobGets()).toHaveLength(2);
 * ```
 *
 * Its host is `127.0.0.1:PORT`: containerd's resolver takes loopback for plain http. A line of the access log is written
 * when its answer ends, which a client may see a moment earlier: `eventually` (test/support/debian) waits for a count.
 */
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DaemonProcess, startDaemon } from '../debian/daemon-process.ts';
import { freePort } from '../debian/free-port.ts';
import { makeTestDirectory, removeTestDirectory } from '../debian/test-directory.ts';
import { type RegistryRequest, isBlobGet, parseAccessLog } from './access-log.ts';
import { htpasswdLine } from './htpasswd.ts';
import type { PushCredentials, PushTarget } from './push.ts';

const PROGRAM = 'docker-registry';
const READY_DEADLINE_MS = 15_000;
const STOP_DEADLINE_MS = 5_000;

export interface DockerRegistryOptions {
  /** Basic auth with this one user; without it anyone may pull and push. */
  credentials?: PushCredentials;
}

export interface DockerRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`: what references begin with. */
  readonly host: string;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Where the registry keeps blobs: damage them there to serve wrong bytes. */
  readonly storageDirectory: string;
  /** What push.ts wants, with the registry's own credentials. */
  target(repository: string): PushTarget;
  /** Every request answered so far, in order of their end. */
  requests(): Promise<RegistryRequest[]>;
  /** GETs of blobs that were answered with bytes; of one digest when given. */
  blobGets(digest?: string): Promise<RegistryRequest[]>;
  /** Forgets the requests so far. */
  clearRequests(): Promise<void>;
  /** Makes the registry unreachable; `resume` brings it back on the same port with its content. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
}

/** Why no registry can be started here; undefined when one can. */
export function dockerRegistryUnavailable(): string | undefined {
  const { error, status } = spawnSync(PROGRAM, ['--version'], { stdio: 'ignore' });
  return error || status !== 0 ? 'docker-registry is not installed (.ci/debian-packages installs it)' : undefined;
}

/** Starts a registry and waits until it listens. @throws Error with its log when it does not */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const directory = await makeTestDirectory('shoal-reg-');
  try {
    if (options.credentials) {
      await writeFile(join(directory, 'htpasswd'), await htpasswdLine(options.credentials));
    }
    const port = await freePort();
    return handleOf(directory, { daemon: await startOn(directory, port, options), port }, options);
  } catch (error) {
    await removeTestDirectory(directory);
    throw error;
  }
}

interface Listening {
  daemon: DaemonProcess;
  port: number;
}

function handleOf(directory: string, first: Listening, options: DockerRegistryOptions): DockerRegistry {
  const { port } = first;
  const accessLog = join(directory, 'access.log');
  let { daemon } = first;
  const requests = async () => parseAccessLog(await readFile(accessLog, 'utf8'));
  const stop = async () => {
    await daemon.terminate(STOP_DEADLINE_MS);
    await removeTestDirectory(directory);
  };
  const url = `http://127.0.0.1:${port}`;
  return {
    host: `127.0.0.1:${port}`,
    url,
    storageDirectory: join(directory, 'data'),
    target: (repository) => ({ url, repository, ...(options.credentials && { credentials: options.credentials }) }),
    requests,
    blobGets: async (digest) => (await requests()).filter((request) => isBlobGet(request, digest)),
    // The daemon appends, so a truncated file goes on from its new end.
    clearRequests: () => writeFile(accessLog, ''),
    pause: () => daemon.terminate(STOP_DEADLINE_MS),
    async resume() {
      if (!daemon.isRunning()) daemon = await startOn(directory, port, options);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function startOn(directory: string, port: number, options: DockerRegistryOptions): Promise<DaemonProcess> {
  const stderrFile = join(directory, 'registry.log');
  const configFile = join(directory, 'config.yml');
  await writeFile(configFile, registryConfig(directory, port, options.credentials !== undefined));
  await writeFile(stderrFile, '');
  const daemon = await startDaemon({
    name: PROGRAM,
    command: [PROGRAM, 'serve', configFile],
    stdoutFile: join(directory, 'access.log'),
    stderrFile,
  });
  try {
    const line = `listening on 127.0.0.1:${port}`;
    await daemon.waitUntil('listens', READY_DEADLINE_MS, async () =>
      (await readFile(stderrFile, 'utf8')).includes(line) ? true : undefined,
    );
    return daemon;
  } catch (error) {
    await daemon.kill();
    throw error;
  }
}

/** YAML is a superset of JSON, so JSON needs no quoting rules of ours. */
function registryConfig(directory: string, port: number, isPrivate: boolean): string {
  const auth = { htpasswd: { realm: 'shoal-test', path: join(directory, 'htpasswd') } };
  return JSON.stringify({
    version: '0.1',
    log: { level: 'info' },
    storage: { filesystem: { rootdirectory: join(directory, 'data') }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}` },
    ...(isPrivate && { auth }),
  });
}
