/**
 * Which containerds this machine has: 1.6 installed from Debian bookworm, 1.7 (trixie) and 2.1 (sid) unpacked by
 * `.ci/debian-packages` into `$SHOAL_TEST_WORK/containerd-<version>` (default `<repository>/.work`).
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const CONTAINERD_VERSIONS = ['1.6', '1.7', '2.1'] as const;
export type ContainerdVersion = (typeof CONTAINERD_VERSIONS)[number];

/** Where one version's programs lie: `containerd`, `ctr`, `containerd-shim-runc-v2`. */
export function programDirectory(version: ContainerdVersion): string {
  if (version === '1.6') return '/usr/bin';
  const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
  const work = process.env.SHOAL_TEST_WORK ?? join(repository, '.work');
  return join(work, `containerd-${version}`, 'usr/bin');
}

/**
 * Why this version cannot run here, in words for the reason of a skipped test; undefined when it can. Synchronous, so
 * that a test file can choose between `describe` and `describe.skip`.
 */
export function unavailable(version: ContainerdVersion): string | undefined {
  if (process.platform !== 'linux') return `containerd needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'containerd needs root';
  const program = join(programDirectory(version), 'containerd');
  if (!existsSync(program)) return `containerd ${version} is not at ${program} (.ci/debian-packages puts it there)`;
  if (!existsSync('/usr/sbin/runc')) return 'runc is not installed (.ci/debian-packages installs it)';
  return wrongVersion(program, version);
}

/** sid moves on: any 2.x stands in for 2.1, since the packages script takes the nearest it finds. */
function wrongVersion(program: string, version: ContainerdVersion): string | undefined {
  const { stdout, stderr, status } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  if (status !== 0) return `${program} does not run: ${stderr}`;
  const found = stdout.split(' ')[2] ?? '';
  const wanted = version.startsWith('2.') ? '2.' : `${version}.`;
  return found.startsWith(wanted) ? undefined : `${program} is ${found}, wanted ${version}`;
}
