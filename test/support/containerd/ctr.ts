/** containerd's own command line client, of the daemon's version, aimed at one test node. */
import { join } from 'node:path';
import { type CommandResult, runCommand } from '../debian/run-command.ts';
import type { Snapshotter } from './snapshotter.ts';
import { type ContainerdVersion, programDirectory } from './versions.ts';

export interface CtrOptions {
  /** Default: `default`. CRI keeps its images in `k8s.io`. */
  namespace?: string;
  deadlineMs?: number;
  signal?: AbortSignal;
}

export interface PullOptions extends CtrOptions {
  /** Default true: the registries of tests speak plain http. */
  plainHttp?: boolean;
  credentials?: { username: string; password: string };
  /** A directory of `<host>/hosts.toml`: mirrors for `ctr`, which does not read CRI's setting. */
  hostsDirectory?: string;
  /** `os/arch[/variant]`. */
  platform?: string;
}

/** A daemon as `ctr` sees it. */
export interface CtrTarget {
  version: ContainerdVersion;
  socket: string;
  snapshotter: Snapshotter;
  /** Where runc keeps its state of this node's containers. */
  runcRoot: string;
}

/** Runs `ctr`; look at `exitCode`. */
export function tryCtr(target: CtrTarget, args: readonly string[], options: CtrOptions = {}): Promise<CommandResult> {
  const program = join(programDirectory(target.version), 'ctr');
  const all = ['--address', target.socket, '--namespace', options.namespace ?? 'default', ...args];
  return runCommand(program, all, {
    env: { CONTAINERD_SNAPSHOTTER: target.snapshotter },
    ...(options.deadlineMs !== undefined && { deadlineMs: options.deadlineMs }),
    ...(options.signal && { signal: options.signal }),
  });
}

/** Runs `ctr` and returns its stdout. @throws Error with its stderr when it fails */
export async function ctr(target: CtrTarget, args: readonly string[], options?: CtrOptions): Promise<string> {
  const { exitCode, stdout, stderr } = await tryCtr(target, args, options);
  if (exitCode !== 0)
    throw new Error(`ctr ${args.join(' ')} ended with ${exitCode}: ${stderr.trim() || stdout.trim()}`);
  return stdout;
}

/** The arguments of `ctr images pull`. */
export function pullArguments(reference: string, options: PullOptions = {}): string[] {
  const { credentials, hostsDirectory, platform } = options;
  return [
    ...['images', 'pull'],
    ...((options.plainHttp ?? true) ? ['--plain-http'] : []),
    ...(credentials ? ['--user', `${credentials.username}:${credentials.password}`] : []),
    ...(hostsDirectory === undefined ? [] : ['--hosts-dir', hostsDirectory]),
    ...(platform === undefined ? [] : ['--platform', platform]),
    reference,
  ];
}

/**
 * The arguments of `ctr run` for a container without network that is removed at its end. runc's state lies with the
 * node: two nodes may run containers of one name. No flags for cgroups or privileges are needed: runc 1.1.5 makes
 * cgroup v1 and v2 groups by itself.
 */
export function runArguments(
  target: CtrTarget,
  container: { image: string; id: string; args: readonly string[] },
): string[] {
  const { image, id, args } = container;
  return ['run', '--rm', '--runc-root', target.runcRoot, '--snapshotter', target.snapshotter, image, id, ...args];
}
