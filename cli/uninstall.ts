/** `shoal uninstall containerd`: containerd gets its built-in content store back, with everything that is in it. */
import { systemClock } from '../core/runtime/clock.ts';
import type { Digest } from '../core/oci/digest.ts';
import { CodedError, messageOf } from '../core/runtime/errors.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Host } from './host.ts';
import { showDiff, withDockerOptions, withInstallOptions } from './install.ts';
import { type DockerOptions, type HostsOptions, changeDocker, changeHosts } from './install-mirror.ts';
import { printApplied } from './install/carry-out.ts';
import { type Applied, applyChange } from './install/file-changes.ts';
import { type InstallOptions, gatherFacts } from './install/gather.ts';
import { type InstallFacts, planUninstall } from './install/install-plan.ts';
import { isServed, openClaims, ourDirectory, removeOurDirectory } from './install/our-directory.ts';
import { printJson } from './print.ts';
import type { AddCommand } from './program.ts';

type UninstallOptions = InstallOptions & { readonly force?: true };

const NEXT = ['systemctl restart containerd', 'systemctl stop shoal', 'shoal uninstall containerd'] as const;

/** What became of our directory inside containerd's. */
type Cleared = 'none' | 'removed' | 'in use';

export const addUninstall: AddCommand = (program, { host, finish }) => {
  const uninstall = program.command('uninstall').description("take a runtime's configuration back").helpCommand(false);
  withInstallOptions(uninstall.command('containerd').description('give containerd its built-in content store back'))
    .option('--force', 'remove our directory even when claims cannot be given back (those images must be pulled again)')
    .action(async (options: UninstallOptions & HostsOptions) => {
      if (options.hosts !== undefined) return changeHosts('uninstall', options, host);
      finish(await uninstallContainerd(options, host));
    });
  withDockerOptions(uninstall.command('docker').description("take this node out of Docker's daemon.json")).action(
    (options: DockerOptions) => changeDocker('uninstall', options, host),
  );
};

async function uninstallContainerd(options: UninstallOptions, host: Host): Promise<ExitCode> {
  const facts = await gatherFacts(options, host);
  const plan = planUninstall(facts);
  for (const warning of plan.warnings) host.err.write(`shoal: warning: ${warning}\n`);
  if (options.dryRun) {
    showDiff(plan, options, host);
    const claims = await openClaims(plan.contentRoot);
    if (claims !== undefined) {
      host.err.write(`Would give ${claims.length} claims back and remove ${ourDirectory(plan.contentRoot)}\n`);
    }
    return EXIT.done;
  }
  const sockets = socketsOf(facts);
  const applied: Applied[] = [];
  for (const change of plan.changes) applied.push(await applyChange(change, systemClock.now()));
  const cleared = await clear(plan.contentRoot, sockets, {
    force: options.force === true,
    containerd: facts.containerd.facts.address,
  });
  report({ applied, cleared, contentRoot: plan.contentRoot }, options, host);
  return cleared === 'in use' ? EXIT.doneInPart : EXIT.done;
}

/** Every socket that our daemon may serve this directory on. */
function socketsOf({ containerd, shoal }: InstallFacts): string[] {
  const installed = containerd.facts.contentProxies.map(({ address }) => address);
  return [...new Set([...installed, shoal.config.content.socket].filter((socket) => socket !== undefined))];
}

/** Removes our directory unless the daemon still serves it. Every claim is given back first. */
async function clear(
  contentRoot: string,
  sockets: readonly string[],
  { force, containerd }: { force: boolean; containerd: string },
): Promise<Cleared> {
  const claims = await openClaims(contentRoot);
  if (claims === undefined) return 'none';
  const served = await Promise.all(sockets.map(isServed));
  if (served.includes(true)) return 'in use';
  if (claims.length > 0 && !force) await giveBack(claims, containerd);
  await removeOurDirectory(contentRoot);
  return 'removed';
}

/** Makes containerd forget what it was told to have and never got, so that the next pull fetches it. */
async function giveBack(claims: readonly Digest[], socket: string): Promise<void> {
  // Loaded here only: few uninstallations have to talk to containerd.
  const { withContainerd } = await import('./containerd-socket.ts');
  try {
    await withContainerd(socket, async (containerd, call) => {
      for (const namespace of await containerd.namespaces(call)) {
        for (const digest of claims) await containerd.deleteContent(namespace, digest, call);
      }
    });
  } catch (error) {
    throw new CodedError(
      'FAILED_PRECONDITION',
      `containerd believes to have ${claims.length} blobs that never arrived, and could not be told otherwise over "${socket}": ` +
        `${messageOf(error)}. Start containerd and run this again; or use --force, and pull the images of these blobs again: ` +
        claims.slice(0, 10).join(', '),
      { cause: error },
    );
  }
}

interface Outcome {
  readonly applied: readonly Applied[];
  readonly cleared: Cleared;
  readonly contentRoot: string;
}

function report({ applied, cleared, contentRoot }: Outcome, options: UninstallOptions, host: Host): void {
  const next = cleared === 'in use' ? NEXT : applied.length > 0 ? NEXT.slice(0, 2) : [];
  const state = applied.length === 0 && cleared === 'none' ? 'not installed' : 'uninstalled';
  if (options.json) {
    printJson(host, { state, content_root: contentRoot, our_directory: cleared, files: applied, next });
    return;
  }
  host.out.write(`${state}\n`);
  printApplied(applied, host);
  if (cleared === 'removed') host.out.write(`removed ${ourDirectory(contentRoot)}\n`);
  if (cleared === 'in use') host.out.write(`${ourDirectory(contentRoot)} stays: the daemon still serves it\n`);
  if (next.length > 0) host.out.write(`Now, in this order:\n${next.map((line) => `  ${line}\n`).join('')}`);
}
