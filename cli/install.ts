/** `shoal install containerd`: the plugin becomes containerd's content store, over containerd's own directory. */
import { type Command, Option } from 'commander';
import { systemClock } from '../core/runtime/clock.ts';
import { CONFIG_FILE } from './config-file.ts';
import type { Host } from './host.ts';
import { type DockerOptions, type HostsOptions, changeDocker, changeHosts } from './install-mirror.ts';
import { printApplied } from './install/carry-out.ts';
import { CONTAINERD_CONFIG } from './install/containerd-facts.ts';
import { DOCKER_CONFIG } from './install/docker-plan.ts';
import { type Applied, applyChange } from './install/file-changes.ts';
import { type InstallOptions, gatherFacts } from './install/gather.ts';
import { type InstallPlan, planInstall } from './install/install-plan.ts';
import { unifiedDiff } from './install/unified-diff.ts';
import { printJson } from './print.ts';
import type { AddCommand } from './program.ts';

const NEXT = ['systemctl restart shoal', 'systemctl restart containerd'] as const;

export const addInstall: AddCommand = (program, { host }) => {
  const install = program.command('install').description("write a runtime's configuration").helpCommand(false);
  withInstallOptions(
    install.command('containerd').description("make the plugin containerd's content store, over its own directory"),
  ).action((options: InstallOptions & HostsOptions) =>
    options.hosts === undefined ? installContainerd(options, host) : changeHosts('install', options, host),
  );
  withDockerOptions(install.command('docker').description('point Docker at this node by its daemon.json')).action(
    (options: DockerOptions) => changeDocker('install', options, host),
  );
};

/** The options that installing into Docker and taking it back share. */
export function withDockerOptions(command: Command): Command {
  return command
    .option('--config <file>', 'our configuration', CONFIG_FILE)
    .option('--docker-config <file>', "Docker's configuration", DOCKER_CONFIG)
    .option('--containerd-config <file>', "containerd's configuration", CONTAINERD_CONFIG)
    .addOption(
      new Option(
        '--through <way>',
        'mirror: registry-mirrors, docker.io only; containerd: images in containerd with the plugin, every registry',
      )
        .choices(['mirror', 'containerd'])
        .default('mirror'),
    )
    .option('--dry-run', 'show the change as a diff and make none')
    .option('--json', 'print one JSON document');
}

/** The options that install and uninstall share. */
export function withInstallOptions(command: Command): Command {
  return command
    .option('--config <file>', 'our configuration', CONFIG_FILE)
    .option('--containerd-config <file>', "containerd's configuration", CONTAINERD_CONFIG)
    .option('--root <directory>', "containerd's root directory, when its configuration does not say it")
    .option('--hosts [directory]', 'the mirror by hosts.toml files, in place of the plugin')
    .option('--dry-run', 'show the changes as a diff and make none')
    .option('--json', 'print one JSON document');
}

async function installContainerd(options: InstallOptions, host: Host): Promise<void> {
  const plan = planInstall(await gatherFacts(options, host));
  for (const warning of plan.warnings) host.err.write(`shoal: warning: ${warning}\n`);
  if (options.dryRun) return showDiff(plan, options, host);
  const applied: Applied[] = [];
  // Ours first: containerd must never point at a plugin that serves another directory.
  for (const change of plan.changes) applied.push(await applyChange(change, systemClock.now()));
  const state = applied.length === 0 ? 'already installed' : 'installed';
  if (options.json)
    return printJson(host, {
      state,
      content_root: plan.contentRoot,
      files: applied,
      warnings: plan.warnings,
      next: NEXT,
    });
  host.out.write(`${state}; content directory: ${plan.contentRoot}\n`);
  printApplied(applied, host);
  if (applied.length > 0) host.out.write(`Now, in this order:\n${NEXT.map((line) => `  ${line}\n`).join('')}`);
}

/** What a dry run prints. */
export function showDiff(plan: InstallPlan, options: InstallOptions, host: Host): void {
  const diffs = plan.changes.map(({ file, before, after }) => ({ file, diff: unifiedDiff(file, before, after) }));
  if (options.json) {
    printJson(host, { state: 'dry run', content_root: plan.contentRoot, files: diffs, warnings: plan.warnings });
    return;
  }
  for (const { diff } of diffs) host.out.write(diff);
  host.err.write(diffs.length === 0 ? 'Nothing would change\n' : 'This was a dry run: nothing was changed\n');
}
