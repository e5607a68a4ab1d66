/** The facts, from the disk, the machine and the daemon. */
import { execFile } from 'node:child_process';
import { link, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { formatHostPort } from '../../core/runtime/config-address.ts';
import { CodedError, errnoOf, messageOf } from '../../core/runtime/errors.ts';
import { type NodeConfig, parseNodeConfig } from '../../plugin/config.ts';
import type { Host } from '../host.ts';
import { readContainerdFiles } from '../install/containerd-files.ts';
import { mountsBelow } from '../install/content-mounts.ts';
import { readIfThere } from '../install/file-changes.ts';
import { isServed } from '../install/our-directory.ts';
import { type Fields, fieldsOf, numberIn, textIn, textsIn } from '../json-fields.ts';
import type { DoctorFacts, Known, LimitFacts, MeshFacts, RootFacts } from './facts.ts';

export interface DoctorOptions {
  readonly config: string;
  readonly containerdConfig: string;
}

const ANSWER_TIMEOUT_MS = 5_000;

export async function gatherDoctorFacts(options: DoctorOptions, host: Host): Promise<DoctorFacts> {
  const configText = await known(() => readIfThere(options.config));
  const config = await known(async () => {
    if ('reason' in configText) throw new CodedError('FAILED_PRECONDITION', configText.reason);
    const text = configText.value ?? '';
    return parseNodeConfig({ text, file: options.config, env: host.env, hostName: host.hostName });
  });
  const settings = 'value' in config ? config.value : undefined;
  const socket = settings?.content.socket;
  return {
    configFile: options.config,
    config,
    hasConfigFile: 'value' in configText && configText.value !== undefined,
    containerdFile: options.containerdConfig,
    containerd: await known(() => readContainerdFiles(options.containerdConfig)),
    containerdVersion: await known(() => containerdVersion(host)),
    isPluginServed: socket !== undefined && (await isServed(socket)),
    root: await known(() => rootFacts(settings, host.pid)),
    readiness: await known(() => readiness(settings)),
    dockerConfig: await known(() => dockerConfig(settings)),
    limits: await known(limits),
    mesh: await known(() => mesh(settings)),
  };
}

async function known<T>(learn: () => Promise<T>): Promise<Known<T>> {
  try {
    return { value: await learn() };
  } catch (error) {
    return { reason: messageOf(error) };
  }
}

/** `containerd github.com/containerd/containerd 1.6.20~ds1 …`, with or without a `v`. */
async function containerdVersion(host: Host) {
  const { stdout } = await promisify(execFile)('containerd', ['--version'], {
    env: { PATH: host.env.PATH },
    timeout: ANSWER_TIMEOUT_MS,
  }).catch((error: unknown) => {
    throw new CodedError('NOT_FOUND', `containerd does not tell its version: ${messageOf(error)}`, { cause: error });
  });
  const [, text = '', major, minor] = / v?((\d+)\.(\d+)\S*)/.exec(stdout) ?? [];
  if (major === undefined) throw new CodedError('NOT_FOUND', `containerd tells no version: "${stdout.slice(0, 100)}"`);
  return { major: Number(major), minor: Number(minor), text };
}

async function rootFacts(config: NodeConfig | undefined, pid: number): Promise<RootFacts> {
  if (config === undefined) throw new CodedError('FAILED_PRECONDITION', 'The configuration has to be mended first');
  const { root } = config.content;
  const { bavail, blocks, bsize } = await statfs(root);
  return {
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    mounts: mountsBelow(await readFile('/proc/self/mountinfo', 'utf8'), root),
    linkFailure: await linkFailure(root, pid),
  };
}

/** Makes a file and a second name for it, and takes both away. */
async function linkFailure(root: string, pid: number): Promise<string | undefined> {
  const probe = join(root, `.shoal-doctor-${pid}`);
  try {
    await writeFile(probe, '', { flag: 'wx' });
    await link(probe, `${probe}-link`);
    return undefined;
  } catch (error) {
    return messageOf(error);
  } finally {
    await Promise.all([probe, `${probe}-link`].map((file) => rm(file, { force: true }).catch(() => undefined)));
  }
}

async function readiness(config: NodeConfig | undefined): Promise<{ ready: boolean; reason: string }> {
  const answer = await askDaemon(config, '/readyz');
  return { ready: answer.ready === true, reason: textIn(answer, 'reason') };
}

async function mesh(config: NodeConfig | undefined): Promise<MeshFacts> {
  const told = fieldsOf((await askDaemon(config, '/api/v1/status')).mesh);
  return { alive: numberIn(fieldsOf(told.members), 'alive'), banned: textsIn(told, 'banned') };
}

async function askDaemon(config: NodeConfig | undefined, path: string): Promise<Fields> {
  if (config === undefined) throw new CodedError('FAILED_PRECONDITION', 'The configuration has to be mended first');
  const { host, port } = config.admin.listen;
  // Whoever listens on every address listens on loopback.
  const address = formatHostPort({ host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port });
  const response = await fetch(`http://${address}${path}`, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) }).catch(
    (error: unknown) => {
      throw new CodedError('UNAVAILABLE', `Nobody answers on admin.listen (${address})`, { cause: error });
    },
  );
  return fieldsOf(await response.json());
}

async function dockerConfig(config: NodeConfig | undefined): Promise<{ file: string } | undefined> {
  const named = config?.upstream.dockerConfig;
  if (named === undefined) return undefined;
  try {
    JSON.parse(await readFile(named.file, 'utf8'));
    return { file: named.file };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' && !named.isRequired) return undefined;
    throw new CodedError('INVALID_ARGUMENT', `"${named.file}" cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

async function limits(): Promise<LimitFacts> {
  const text = await readFile('/proc/self/limits', 'utf8');
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(text)?.[1];
  const instances = await readFile('/proc/sys/fs/inotify/max_user_instances', 'utf8');
  return {
    openFiles: hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard),
    inotifyInstances: Number(instances),
  };
}
