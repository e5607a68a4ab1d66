/**
 * A real containerd for one test: own root, state and socket in a temp directory, any of the three versions, with the
 * built-in content store or a plugin in its place, with or without CRI.
 *
 * ```ts
 * const reason = unavailable('2.1');                        // versions.ts; print it and use describe.skip
 * await using node = await startContainerd({ version: '2.1', plugin: { address: '/tmp/x/content.sock' }, cri: true });
 * await node.pull(`${registry.host}/library/hello:v1`);     // ctr, plain http, namespace `default`
 * await node.ctr(['images', 'ls', '-q']);                   // stdout; throws with stderr and log when it fails
 * await node.runContainer(`${registry.host}/library/hello:v1`, ['echo', 'hi']);   // 'hi\n'
 * await imageClient(node.socket).pullImage(ref);            // test/support/cri: namespace `k8s.io`
 * await node.kill(); await node.start();                    // a crash; restart() is SIGTERM and start
 * ```
 *
 * `configFile` is written once, before the first start: change it between stop and start to see what a changed
 * configuration does. `contentDirectory` is the built-in store's. Registries on loopback need no hosts.toml: containerd
 * takes plain http for 127.0.0.1 and localhost, in CRI too; mirrors do (`registryConfigPath` for CRI, `hostsDirectory`
 * of `pull` for ctr). CRI pulls, lists and removes images without a sandbox image or CNI; pods would need both.
 */
import { access, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { waitForCri } from '../cri/image-client.ts';
import { type DaemonProcess, endOfFile, startDaemon } from '../debian/daemon-process.ts';
import type { CommandResult } from '../debian/run-command.ts';
import { makeTestDirectory, removeTestDirectory } from '../debian/test-directory.ts';
import { type ContainerdSettings, containerdConfig, socketOf } from './containerd-config.ts';
import { type CtrOptions, type CtrTarget, type PullOptions, ctr, pullArguments, runArguments, tryCtr } from './ctr.ts';
import { removeLeftovers } from './leftovers.ts';
import { type Snapshotter, workingSnapshotter } from './snapshotter.ts';
import { type ContainerdVersion, programDirectory } from './versions.ts';

const READY_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 10_000;

export interface ContainerdOptions extends Omit<ContainerdSettings, 'directory' | 'snapshotter'> {
  /** Keep everything below this directory and leave it there at the end. Default: a temp one that `stop` removes. */
  directory?: string;
}

export interface ContainerdProcess extends AsyncDisposable {
  readonly version: ContainerdVersion;
  readonly directory: string;
  readonly socket: string;
  readonly configFile: string;
  /** The built-in content store's root. */
  readonly contentDirectory: string;
  readonly snapshotter: Snapshotter;
  /** stdout of `ctr`. @throws Error with stderr and the end of containerd's log when it fails */
  ctr(args: readonly string[], options?: CtrOptions): Promise<string>;
  /** The same without throwing: look at `exitCode`. */
  tryCtr(args: readonly string[], options?: CtrOptions): Promise<CommandResult>;
  /** `ctr images pull`, which unpacks too. @throws as `ctr` */
  pull(reference: string, options?: PullOptions): Promise<void>;
  /** Runs a container of a pulled image to its end. @returns what it printed @throws as `ctr` */
  runContainer(image: string, args?: readonly string[], options?: CtrOptions): Promise<string>;
  /** The end of containerd's log. */
  log(): Promise<string>;
  /** Process id of the running daemon. */
  pid(): number;
  /** Starts it again after `kill` or `terminate`, with the configuration file as it is now. */
  start(): Promise<void>;
  /** SIGKILL to the daemon alone; containers, mounts and files stay. */
  kill(): Promise<void>;
  /** SIGTERM to the daemon alone; containers, mounts and files stay. */
  terminate(): Promise<void>;
  /** `terminate`, then `start`. */
  restart(): Promise<void>;
  /** Ends daemon, shims and containers, unmounts, removes the temp directory. Stopping twice is harmless. */
  stop(): Promise<void>;
}

/** Starts containerd and waits until it answers (CRI as well). @throws Error with its log when it does not */
export async function startContainerd(options: ContainerdOptions): Promise<ContainerdProcess> {
  const directory = options.directory ?? (await makeTestDirectory('shoal-ctd-'));
  await mkdir(directory, { recursive: true });
  const snapshotter = await workingSnapshotter(directory);
  const settings: ContainerdSettings = { ...options, directory, snapshotter };
  await writeFile(join(directory, 'config.toml'), containerdConfig(settings));
  const node = handleOf(settings, snapshotter, options.directory === undefined);
  try {
    await node.start();
    return node;
  } catch (error) {
    await node.stop();
    throw error;
  }
}

function handleOf(settings: ContainerdSettings, snapshotter: Snapshotter, isTemporary: boolean): ContainerdProcess {
  const { directory, version } = settings;
  const socket = socketOf(directory);
  const target: CtrTarget = { version, socket, snapshotter, runcRoot: join(directory, 'runc') };
  const log = () => endOfFile(join(directory, 'containerd.log'));
  let daemon: DaemonProcess | undefined;
  let containers = 0;

  const explained = async (args: readonly string[], options?: CtrOptions) => {
    try {
      return await ctr(target, args, options);
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : error}\ncontainerd's log:\n${await log()}`);
    }
  };
  const start = async () => {
    if (daemon?.isRunning()) return;
    daemon = await spawnContainerd(settings);
    await waitUntilReady(daemon, settings, target);
  };
  const terminate = async () => daemon?.terminate(STOP_DEADLINE_MS);
  const stop = async () => {
    await terminate();
    await removeLeftovers(directory);
    if (isTemporary) await removeTestDirectory(directory);
  };
  return {
    ...{ version, directory, socket, snapshotter, log, start, terminate, stop },
    configFile: join(directory, 'config.toml'),
    contentDirectory: join(directory, 'root/io.containerd.content.v1.content'),
    ctr: explained,
    tryCtr: (args, options) => tryCtr(target, args, options),
    pull: async (reference, options) => void (await explained(pullArguments(reference, options), options)),
    runContainer: (image, args = [], options = {}) => {
      containers += 1;
      // Control groups are named by it, and those are the machine's: another test's containers may run beside these.
      const id = `${basename(directory)}-${process.pid}-${containers}`;
      return explained(runArguments(target, { image, id, args }), options);
    },
    pid: () => daemon?.pid ?? 0,
    kill: async () => daemon?.kill(),
    restart: async () => {
      await terminate();
      await start();
    },
    [Symbol.asyncDispose]: stop,
  };
}

function spawnContainerd(settings: ContainerdSettings): Promise<DaemonProcess> {
  const { directory, version } = settings;
  const programs = programDirectory(version);
  const logFile = join(directory, 'containerd.log');
  return startDaemon({
    name: `containerd ${version}`,
    command: [join(programs, 'containerd'), '--config', join(directory, 'config.toml')],
    // containerd looks for its shim in PATH first, and for runc there too: /usr/sbin after the version's own programs.
    env: { PATH: `${programs}:/usr/sbin:/usr/bin:/sbin:/bin` },
    stdoutFile: logFile,
    stderrFile: logFile,
  });
}

async function waitUntilReady(daemon: DaemonProcess, settings: ContainerdSettings, target: CtrTarget): Promise<void> {
  await daemon.waitUntil('answers', READY_DEADLINE_MS, async () => {
    const listens = await access(target.socket).then(
      () => true,
      () => false,
    );
    if (!listens) return undefined;
    const { exitCode } = await tryCtr(target, ['version'], { deadlineMs: 5_000 });
    return exitCode === 0 ? true : undefined;
  });
  if (settings.cri) await daemon.waitUntil('serves CRI', READY_DEADLINE_MS, () => waitForCri(target.socket));
}
