/** Runtimes that use the mirror: containerd's hosts.toml files (`install containerd --hosts`) and Docker's daemon.json. */
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../core/runtime/errors.ts';
import { type NodeConfig, parseNodeConfig } from '../plugin/config.ts';
import type { Host } from './host.ts';
import { type CarryOutOptions, carryOut } from './install/carry-out.ts';
import { PLUGIN_NAME } from './install/containerd-facts.ts';
import { type ContainerdFiles, readContainerdFiles } from './install/containerd-files.ts';
import { type DockerWay, dockerAdvice } from './install/docker-advice.ts';
import {
  keepsInContainerd,
  planDocker,
  planDockerStore,
  planNoDocker,
  planNoDockerStore,
} from './install/docker-plan.ts';
import { type FileChange, readIfThere } from './install/file-changes.ts';
import { setHostsDirectory, unsetHostsDirectory } from './install/hosts-config-edit.ts';
import { type HostsFile, defaultHostsFile, hostsDirectoryIn, planHosts, planNoHosts } from './install/hosts-plan.ts';
import { mirrorUrl } from './install/mirror-url.ts';
import { beforeNewConfig } from './install/plugin-edit.ts';

/** Where containerd's own documentation has these files. */
export const HOSTS_DIRECTORY = '/etc/containerd/certs.d';
/** Registries with a file of their own; more are a directory that is not this. */
const HOSTS_FILES_MAX = 1_000;

export interface MirrorOptions extends CarryOutOptions {
  /** Ours. */
  readonly config: string;
  readonly containerdConfig: string;
}

export interface HostsOptions extends MirrorOptions {
  /** The directory, or true for the one that containerd's configuration names. */
  readonly hosts?: string | true;
}

export interface DockerOptions extends MirrorOptions {
  readonly dockerConfig: string;
  readonly through: DockerWay;
}

type Way = 'install' | 'uninstall';

/** @throws CodedError naming the file that cannot be read or is wrong */
export async function changeHosts(way: Way, options: HostsOptions, host: Host): Promise<void> {
  const containerd = await readContainerdFiles(options.containerdConfig);
  const configured = await configuredDirectory(containerd);
  const directory = typeof options.hosts === 'string' ? options.hosts : (configured ?? HOSTS_DIRECTORY);
  const files = await hostsFiles(directory);
  if (way === 'uninstall') {
    const changes = [...withoutDirectory(containerd), ...planNoHosts(files)];
    return carryOut({ way, changes, warnings: [], next: nextAfter(containerd, changes) }, options, host);
  }
  const hosts = planHosts(files, mirrorUrl(await nodeConfig(options, host), options.config));
  const { changes: own, warnings } = withDirectory(containerd, configured, directory);
  const changes = [...hosts, ...own];
  await carryOut({ way, changes, warnings, next: nextAfter(containerd, changes) }, options, host);
}

/** @throws CodedError naming the file that cannot be read or is wrong */
export async function changeDocker(way: Way, options: DockerOptions, host: Host): Promise<void> {
  const docker = { file: options.dockerConfig, text: await readIfThere(options.dockerConfig) };
  const isMirror = options.through === 'mirror';
  const url = isMirror ? mirrorUrl(await nodeConfig(options, host), options.config) : '';
  if (way === 'uninstall') {
    const changes = isMirror ? planNoDocker(docker, url) : planNoDockerStore(docker);
    return carryOut({ way, changes, warnings: [], next: nextOfDocker(isMirror) }, options, host);
  }
  const containerd = await readContainerdFiles(options.containerdConfig);
  const hasPlugin = [containerd, ...containerd.imports].some(({ facts }) =>
    facts.contentProxies.some(({ name }) => name === PLUGIN_NAME),
  );
  if (!isMirror && !hasPlugin) {
    throw new CodedError(
      'FAILED_PRECONDITION',
      `"${containerd.file}" has no plugin, so images that Docker keeps in containerd would not pass through it; "shoal install containerd" first`,
    );
  }
  const changes = isMirror ? planDocker(docker, url) : planDockerStore(docker);
  const facts = { way: options.through, keepsInContainerd: keepsInContainerd(docker), hasPlugin };
  await carryOut({ way, changes, warnings: dockerAdvice(facts), next: nextOfDocker(isMirror) }, options, host);
}

/** Mirrors are read again when Docker is told to; where images lie only when it starts. */
function nextOfDocker(isMirror: boolean): string[] {
  return [isMirror ? 'systemctl reload docker' : 'systemctl restart docker'];
}

/** hosts.toml files are read at every pull, where they are only when containerd starts. */
function nextAfter({ file }: ContainerdFiles, changes: readonly FileChange[]): string[] {
  return changes.some((change) => change.file === file) ? ['systemctl restart containerd'] : [];
}

/** An imported file wins over the one that imports it. */
export async function configuredDirectory({ file, text = '', imports }: ContainerdFiles): Promise<string | undefined> {
  let found = hostsDirectoryIn(text, file);
  for (const { file: imported } of imports) {
    found = hostsDirectoryIn((await readIfThere(imported)) ?? '', imported) ?? found;
  }
  return found;
}

function withDirectory(
  { file, text }: ContainerdFiles,
  configured: string | undefined,
  directory: string,
): { changes: FileChange[]; warnings: string[] } {
  if (configured === directory) return { changes: [], warnings: [] };
  const edit =
    configured === undefined
      ? setHostsDirectory(text ?? '', file, directory)
      : { kind: 'refused' as const, reason: `its config_path is "${configured}"` };
  if (edit.kind === 'text') return { changes: [{ file, before: text, after: edit.text }], warnings: [] };
  const warning =
    `"${file}" does not look for these files, and was not changed: ${edit.reason}. Set config_path = "${directory}" below ` +
    '[plugins."io.containerd.grpc.v1.cri".registry] (containerd 1.x) or [plugins."io.containerd.cri.v1.images".registry] (2.x) and restart containerd; ' +
    `ctr takes --hosts-dir ${directory}`;
  return { changes: [], warnings: [warning] };
}

function withoutDirectory({ file, text }: ContainerdFiles): FileChange[] {
  if (text === undefined) return [];
  const rest = unsetHostsDirectory(text, file);
  if (rest === text) return [];
  const before = beforeNewConfig(rest, file);
  return [{ file, before: text, after: before === '' ? undefined : (before ?? rest) }];
}

/** `_default`, also when it is not there, and those of single registries. */
export async function hostsFiles(directory: string): Promise<HostsFile[]> {
  const first = defaultHostsFile(directory);
  const found = await Array.fromAsync(glob(join(directory, '*', 'hosts.toml')));
  const files = [first, ...found.filter((file) => file !== first).sort()].slice(0, HOSTS_FILES_MAX);
  return Promise.all(files.map(async (file) => ({ file, text: await readIfThere(file) })));
}

async function nodeConfig({ config }: MirrorOptions, host: Host): Promise<NodeConfig> {
  const text = (await readIfThere(config)) ?? '';
  return parseNodeConfig({ text, file: config, env: host.env, hostName: host.hostName });
}
