/** containerd's hosts.toml files, where its configuration says they are. */
import { HOSTS_DIRECTORY, configuredDirectory, hostsFiles } from '../install-mirror.ts';
import type { ContainerdFiles } from '../install/containerd-files.ts';
import type { HostsFacts } from './facts.ts';

/** @throws CodedError naming the file that cannot be read */
export async function gatherHosts(containerd: ContainerdFiles): Promise<HostsFacts> {
  const configured = await configuredDirectory(containerd);
  const directory = configured ?? HOSTS_DIRECTORY;
  return { configured, directory, files: await hostsFiles(directory) };
}
