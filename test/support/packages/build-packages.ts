/** Packages of this tree, for tests: made by the command that makes the real ones, in its fast way. */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { runCommand } from '../debian/run-command.ts';

const REPOSITORY = resolve(import.meta.dirname, '../../..');
const BUILD_DEADLINE_MS = 300_000;

export interface Wanted {
  readonly format: 'deb' | 'rpm';
  readonly arch: 'amd64' | 'arm64';
  readonly revision?: number;
}

/** The package's file, in `folder` beside its list and checksums. @throws Error with what the command said */
export async function buildPackage({ format, arch, revision = 1 }: Wanted, folder: string): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(
    'npm',
    [
      ...['--prefix', REPOSITORY, 'run', '-s', 'package', '--', '--fast', '--output', folder],
      ...['--format', format, '--arch', arch, '--revision', String(revision)],
    ],
    { deadlineMs: BUILD_DEADLINE_MS },
  );
  const name = (await readdir(folder).catch(() => [])).find((file) => file.endsWith(`.${format}`));
  if (exitCode !== 0 || name === undefined)
    throw new Error(`npm run package ended with ${exitCode}: ${stdout}${stderr}`);
  return join(folder, name);
}
