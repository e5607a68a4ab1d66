/** `_default/hosts.toml`: every registry through a mirror first, as containerd's hosts.md has it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes it below `directory`. @param mirror `127.0.0.1:PORT` @returns the directory, for `hostsDirectory` and `registryConfigPath` */
export async function writeHostsToml(directory: string, mirror: string): Promise<string> {
  const folder = join(directory, '_default');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'hosts.toml'), `[host."http://${mirror}"]\ncapabilities = ["pull", "resolve"]\n`);
  return directory;
}
