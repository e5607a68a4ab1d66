/** `_default/hosts.toml` as `shoal install containerd --hosts` writes it: every registry through a mirror first. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { defaultHostsFile, planHosts } from '../../../cli/install/hosts-plan.ts';

/** Writes it below `directory`. @param mirror `127.0.0.1:PORT` @returns the directory, for `hostsDirectory` and `registryConfigPath` */
export async function writeHostsToml(directory: string, mirror: string): Promise<string> {
  for (const { file, after } of planHosts(
    [{ file: defaultHostsFile(directory), text: undefined }],
    `http://${mirror}`,
  )) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, after ?? '');
  }
  return directory;
}
