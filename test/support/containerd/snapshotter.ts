/** Which snapshotter works in a directory: overlayfs where the kernel can stack there, else native, which copies. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../debian/run-command.ts';

export type Snapshotter = 'overlayfs' | 'native';

/** Tries a real overlay mount below `directory` and takes it away again. */
export async function workingSnapshotter(directory: string): Promise<Snapshotter> {
  const trial = join(directory, 'overlay-trial');
  const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) => join(trial, name));
  for (const path of [lower, upper, work, merged]) await mkdir(`${path}`, { recursive: true });
  const layers = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  const mounted = await runCommand('mount', ['-t', 'overlay', 'overlay', '-o', layers, `${merged}`]);
  if (mounted.exitCode === 0) await runCommand('umount', [`${merged}`]);
  await rm(trial, { recursive: true, force: true });
  return mounted.exitCode === 0 ? 'overlayfs' : 'native';
}
