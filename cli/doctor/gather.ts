/** The facts, from the disk, the machine and the daemon. */
import { execFile } from 'node:child_process';
import { link, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CodedError, errnoOf, messageOf } from '../../core/runtime/errors.ts';
import { type NodeConfig, parseNodeConfig } from '../../plugin/config.ts';
import type { Host } from '../host.ts';
import { readContainerdFiles } from '../install/containerd-files.ts';
import { mountsBelow } from '../install/content-mounts.ts';
import { readIfThere } from '../install/file-changes.ts';
import { isServed } from '../install/our-directory.ts';
import { containerdVersionAt } from '../containerd-socket.ts';
import { textIn } from '../json-fields.ts';
import { VERSION } from '../version.ts';
import { askFields } from './ask-daemon.ts';
import type { ContainerdVersion, DoctorFacts, Known, RootFacts } from './facts.ts';
import { gatherDaemon, gatherMesh, gatherReach } from './gather-fleet.ts';
import { gatherHosts } from './gather-hosts.ts';
import { gatherLimits } from './gather-limits.ts';
import { gatherLogins } from './gather-logins.ts';

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
  /** What only a sound configuration lets one know. */
  const from = <T>(learn: (config: NodeConfig) => Promise<T>) =>
    known(() => (settings === undefined ? Promise.reject(unsound()) : learn(settings)));
  const containerd = await known(() => readContainerdFiles(options.containerdConfig));
  const ours = settings?.content.containerd;
  const overSocket = ours === undefined ? undefined : await known(() => containerdVersionAt(ours));
  const socket = settings?.content.socket;
  const [root, readiness, docker, limits, mesh, daemon, reach, logins, hosts] = await Promise.all([
    from((sound) => rootFacts(sound, host.pid)),
    from(readinessOf),
    from(dockerConfig),
    known(() => gatherLimits(settings)),
    from(gatherMesh),
    from(gatherDaemon),
    from(gatherReach),
    from((sound) => gatherLogins(sound, host.env)),
    known(() => gatherHosts(knownValue(containerd))),
  ]);
  return {
    installedVersion: VERSION,
    nowMs: Date.now(),
    configFile: options.config,
    config,
    hasConfigFile: 'value' in configText && configText.value !== undefined,
    containerdFile: options.containerdConfig,
    containerd,
    containerdVersion: await known(async () =>
      versionIn(overSocket !== undefined && 'value' in overSocket ? overSocket.value : await programVersion(host)),
    ),
    containerdAnswers: overSocket && ('value' in overSocket ? { value: true } : overSocket),
    isPluginServed: socket !== undefined && (await isServed(socket)),
    dockerConfig: docker,
    ...{ root, readiness, limits, mesh, daemon, reach, logins, hosts },
  };
}

function unsound(): CodedError {
  return new CodedError('FAILED_PRECONDITION', 'The configuration has to be mended first');
}

function knownValue<T>(fact: Known<T>): T {
  if ('value' in fact) return fact.value;
  throw new CodedError('FAILED_PRECONDITION', fact.reason);
}

async function known<T>(learn: () => Promise<T>): Promise<Known<T>> {
  try {
    return { value: await learn() };
  } catch (error) {
    return { reason: messageOf(error) };
  }
}

/** `containerd github.com/containerd/containerd 1.6.20~ds1 …`. */
async function programVersion(host: Host): Promise<string> {
  const { stdout } = await promisify(execFile)('containerd', ['--version'], {
    env: { PATH: host.env.PATH },
    timeout: ANSWER_TIMEOUT_MS,
  }).catch((error: unknown) => {
    throw new CodedError('NOT_FOUND', `containerd does not tell its version: ${messageOf(error)}`, { cause: error });
  });
  return stdout;
}

/** With or without a `v`, alone or within a line. */
function versionIn(told: string): ContainerdVersion {
  const [, text = '', major, minor] = /(?:^| )v?((\d+)\.(\d+)\S*)/.exec(told) ?? [];
  if (major === undefined) throw new CodedError('NOT_FOUND', `containerd tells no version: "${told.slice(0, 100)}"`);
  return { major: Number(major), minor: Number(minor), text };
}

async function rootFacts(config: NodeConfig, pid: number): Promise<RootFacts> {
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

async function readinessOf(config: NodeConfig): Promise<{ ready: boolean; reason: string }> {
  const answer = await askFields(config, '/readyz');
  return { ready: answer.ready === true, reason: textIn(answer, 'reason') };
}

async function dockerConfig(config: NodeConfig): Promise<{ file: string } | undefined> {
  const named = config.upstream.dockerConfig;
  if (named === undefined) return undefined;
  try {
    JSON.parse(await readFile(named.file, 'utf8'));
    return { file: named.file };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' && !named.isRequired) return undefined;
    throw new CodedError('INVALID_ARGUMENT', `"${named.file}" cannot be used: ${messageOf(error)}`, { cause: error });
  }
}
