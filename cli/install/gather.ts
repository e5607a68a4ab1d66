/** What an installation has to know, read from the disk. */
import { readFile } from 'node:fs/promises';
import { parseNodeConfig } from '../../plugin/config.ts';
import type { Host } from '../host.ts';
import { builtInContentRoot } from './containerd-facts.ts';
import { readContainerdFiles } from './containerd-files.ts';
import { mountsBelow } from './content-mounts.ts';
import { readIfThere } from './file-changes.ts';
import type { InstallFacts } from './install-plan.ts';

export interface InstallOptions {
  /** Ours. */
  readonly config: string;
  readonly containerdConfig: string;
  readonly root?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

/** @throws CodedError naming the file that cannot be read or is wrong */
export async function gatherFacts(options: InstallOptions, host: Host): Promise<InstallFacts> {
  const containerd = await readContainerdFiles(options.containerdConfig);
  const text = await readIfThere(options.config);
  const config = parseNodeConfig({ text: text ?? '', file: options.config, env: host.env, hostName: host.hostName });
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  return {
    containerd,
    shoal: { file: options.config, text, config },
    root: options.root,
    mounts: mountsBelow(mountinfo, builtInContentRoot(options.root ?? containerd.facts.root)),
  };
}
