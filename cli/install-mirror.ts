/** Runtimes that use the mirror: containerd's hosts.toml files (`install containerd --hosts`) and Docker's daemon.json. */
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../core/runtime/clock.ts';
import { type NodeConfig, parseNodeConfig } from '../plugin/config.ts';
import type { Host } from './host.ts';
import { printApplied } from './install.ts';
import { planDocker, planNoDocker } from './install/docker-plan.ts';
import { type Applied, type FileChange, applyChange, readIfThere } from './install/file-changes.ts';
import { type HostsFile, defaultHostsFile, hostsDirectoryIn, planHosts, planNoHosts } from './install/hosts-plan.ts';
import { mirrorUrl } from './install/mirror-url.ts';
import { unifiedDiff } from './install/unified-diff.ts';
import { printJson } from './print.ts';

/** Where containerd's own documentation has these files. */
const HOSTS_DIRECTORY = '/etc/containerd/certs.d';
/** Registries with a file of their own; more are a directory that is not this. */
const HOSTS_FILES_MAX = 1_000;

export interface MirrorOptions {
  /** Ours. */
  readonly config: string;
  readonly dryRun?: true;
  readonly json?: true;
}

export interface HostsOptions extends MirrorOptions {
  readonly containerdConfig: string;
  /** The directory, or true for the one that containerd's configuration names. */
  readonly hosts?: string | true;
}

export interface DockerOptions extends MirrorOptions {
  readonly dockerConfig: string;
}

type Way = 'install' | 'uninstall';

/** @throws CodedError naming the file that cannot be read or is wrong */
export async function changeHosts(way: Way, options: HostsOptions, host: Host): Promise<void> {
  const configured = hostsDirectoryIn((await readIfThere(options.containerdConfig)) ?? '', options.containerdConfig);
  const directory = typeof options.hosts === 'string' ? options.hosts : (configured ?? HOSTS_DIRECTORY);
  const files = await hostsFiles(directory);
  const changes =
    way === 'install'
      ? planHosts(files, mirrorUrl(await nodeConfig(options, host), options.config))
      : planNoHosts(files);
  const warnings =
    way === 'install' && configured !== directory
      ? [
          `"${options.containerdConfig}" does not look for these files: set config_path = "${directory}" below ` +
            '[plugins."io.containerd.grpc.v1.cri".registry] (containerd 1.x) or [plugins."io.containerd.cri.v1.images".registry] (2.x) and restart containerd; ' +
            `ctr takes --hosts-dir ${directory}`,
        ]
      : [];
  // containerd reads these files at every pull.
  await carryOut({ way, changes, warnings, next: [] }, options, host);
}

/** @throws CodedError naming the file that cannot be read or is wrong */
export async function changeDocker(way: Way, options: DockerOptions, host: Host): Promise<void> {
  const url = mirrorUrl(await nodeConfig(options, host), options.config);
  const docker = { file: options.dockerConfig, text: await readIfThere(options.dockerConfig) };
  const changes = way === 'install' ? planDocker(docker, url) : planNoDocker(docker, url);
  const warnings =
    way === 'install'
      ? [
          'Docker asks a mirror for docker.io only. For every registry, and where Docker keeps images in containerd ' +
            '(features: containerd-snapshotter, the default of Docker 29), "shoal install containerd" fits better: that containerd then has the plugin',
        ]
      : [];
  await carryOut({ way, changes, warnings, next: ['systemctl reload docker'] }, options, host);
}

interface Work {
  readonly way: Way;
  readonly changes: readonly FileChange[];
  readonly warnings: readonly string[];
  /** What is to be done by hand once something has changed. */
  readonly next: readonly string[];
}

async function carryOut({ way, changes, warnings, next }: Work, options: MirrorOptions, host: Host): Promise<void> {
  for (const warning of warnings) host.err.write(`shoal: warning: ${warning}\n`);
  if (options.dryRun) {
    const diffs = changes.map(({ file, before, after }) => ({ file, diff: unifiedDiff(file, before, after) }));
    if (options.json) return printJson(host, { state: 'dry run', files: diffs, warnings });
    for (const { diff } of diffs) host.out.write(diff);
    host.err.write(diffs.length === 0 ? 'Nothing would change\n' : 'This was a dry run: nothing was changed\n');
    return;
  }
  const applied: Applied[] = [];
  for (const change of changes) applied.push(await applyChange(change, systemClock.now()));
  const state = applied.length > 0 ? `${way}ed` : way === 'install' ? 'already installed' : 'not installed';
  const todo = applied.length > 0 ? next : [];
  if (options.json) return printJson(host, { state, files: applied, warnings, next: todo });
  host.out.write(`${state}\n`);
  printApplied(applied, host);
  if (todo.length > 0) host.out.write(`Now:\n${todo.map((line) => `  ${line}\n`).join('')}`);
}

/** `_default`, also when it is not there, and those of single registries. */
async function hostsFiles(directory: string): Promise<HostsFile[]> {
  const first = defaultHostsFile(directory);
  const found = await Array.fromAsync(glob(join(directory, '*', 'hosts.toml')));
  const files = [first, ...found.filter((file) => file !== first).sort()].slice(0, HOSTS_FILES_MAX);
  return Promise.all(files.map(async (file) => ({ file, text: await readIfThere(file) })));
}

async function nodeConfig({ config }: MirrorOptions, host: Host): Promise<NodeConfig> {
  const text = (await readIfThere(config)) ?? '';
  return parseNodeConfig({ text, file: config, env: host.env, hostName: host.hostName });
}
