/** A package's files, laid out in a folder as they will lie on the machine. */
import { chmod, cp, lutimes, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { PackageFile } from './package-files.ts';

const ROOT = resolve(import.meta.dirname, '..');

export interface Tree {
  readonly folder: string;
  /** The bundle, which goes to /usr/lib/shoal. */
  readonly bundle: string;
  /** The runtime's program. */
  readonly node: string;
  readonly files: readonly PackageFile[];
  readonly epochSeconds: number;
}

/** Makes `folder` anew. Modes are set, whatever the umask is; times are the release's. */
export async function stageTree({ folder, bundle, node, files, epochSeconds }: Tree): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await cp(bundle, join(folder, 'usr/lib/shoal'), { recursive: true });
  await cp(node, join(folder, 'usr/lib/shoal/node'));
  for (const file of files) await place(file, folder);
  const executable = new Set([
    '/usr/lib/shoal/node',
    ...files.filter((file) => file.isExecutable).map(({ path }) => path),
  ]);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isSymbolicLink())
      await chmod(path, entry.isDirectory() || executable.has(path.slice(folder.length)) ? 0o755 : 0o644);
  }
  await setTimes(folder, epochSeconds);
}

async function place({ path, from }: PackageFile, folder: string): Promise<void> {
  const target = join(folder, path);
  await mkdir(dirname(target), { recursive: true });
  if (typeof from === 'string') await cp(resolve(ROOT, from), target);
  else await writeFile(target, from);
}

/** Of everything below `folder`, the folder included. */
export async function setTimes(folder: string, epochSeconds: number): Promise<void> {
  await chmod(folder, 0o755);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) await lutimes(join(entry.parentPath, entry.name), epochSeconds, epochSeconds);
  await lutimes(folder, epochSeconds, epochSeconds);
}
