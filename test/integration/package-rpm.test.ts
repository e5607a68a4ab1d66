/** The RPM package with rpm itself, on a machine of its own with systemd and containerd: installed, upgraded, refused, removed. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import { type BootedRoot, bootRoot, bootUnavailable } from '../support/packages/booted-root.ts';
import { buildPackage } from '../support/packages/build-packages.ts';
import { machine } from '../support/packages/machine.ts';

const DEADLINE_MS = 300_000;
const reason = process.arch === 'x64' ? bootUnavailable('trixie') : 'the packages that it builds are for x86_64';
if (reason !== undefined) process.stderr.write(`The RPM package is not tested: ${reason}\n`);

(reason === undefined ? describe : describe.skip)('The RPM package', () => {
  let folder = '';
  let root: BootedRoot;
  // rpm's database on Debian knows none of Debian's packages.
  const rpm = (args: string) => root.sh(`rpm --nodeps ${args} 2>&1`, DEADLINE_MS);
  const scenario = (title: string, work: () => Promise<void>) => it(title, work, DEADLINE_MS);

  beforeAll(async () => {
    folder = await makeTestDirectory('shoal-rpms-');
    const rpms = [
      await buildPackage({ format: 'rpm', arch: 'amd64' }, join(folder, '1')),
      await buildPackage({ format: 'rpm', arch: 'amd64', revision: 2 }, join(folder, '2')),
    ];
    root = await bootRoot('trixie', rpms);
  }, DEADLINE_MS);

  afterAll(async () => {
    await root?.stop();
    await removeTestDirectory(folder);
  }, DEADLINE_MS);

  scenario('installing enables the node and starts nothing, and changes no configuration of containerd', async () => {
    const before = await root.ok('cat /etc/containerd/config.toml');
    expect(await rpm('-i /packages/shoal-*-1.x86_64.rpm')).toMatchObject({ exitCode: 0, stdout: '' });
    expect((await root.sh('systemctl is-enabled shoal.service shoal-warmer.timer')).stdout).toBe('enabled\ndisabled\n');
    expect((await root.sh('systemctl is-active shoal')).stdout).toBe('inactive\n');
    expect(await root.ok('cat /etc/containerd/config.toml')).toBe(before);
    expect(await root.ok('rpm -qc shoal')).toBe('/etc/shoal/shoal.toml\n/etc/shoal/warmer.toml\n');
    expect(await root.ok('rpm -V --nodeps shoal')).toBe('');
    await root.ok('systemctl start shoal && shoal status');
  });

  scenario('an edited configuration survives an upgrade, which replaces the daemon', async () => {
    await root.ok('echo "# mine" >>/etc/shoal/shoal.toml');
    const pid = await machine(root).daemonPid();
    expect(await rpm('-U /packages/shoal-*-2.x86_64.rpm')).toMatchObject({ exitCode: 0 });
    expect(await root.ok('tail -n 1 /etc/shoal/shoal.toml')).toBe('# mine\n');
    expect(await root.ok('systemctl is-active shoal')).toBe('active\n');
    expect(await machine(root).daemonPid()).not.toBe(pid);
  });

  scenario(
    'it is not removed where containerd would be left without its store, and is where it gets it back',
    async () => {
      await root.ok('shoal install containerd && systemctl restart shoal && systemctl restart containerd');
      await root.ok('mount --bind /etc /etc && mount -o remount,bind,ro /etc');
      const refused = await rpm('-e shoal');
      await root.ok('umount /etc');
      expect(refused).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('shoal: not removed') });
      expect(await root.ok('rpm -q shoal && systemctl is-active shoal')).toContain('active');
      expect(await rpm('-e shoal')).toMatchObject({ exitCode: 0 });
      expect(await root.sh('grep shoal /etc/containerd/config.toml')).toMatchObject({ exitCode: 1 });
      expect(await root.ok('systemctl is-active containerd')).toBe('active\n');
      expect(await root.sh('systemctl is-active shoal')).toMatchObject({ stdout: 'inactive\n' });
      expect(await root.ok('ls /etc/shoal')).toContain('shoal.toml.rpmsave');
    },
  );
});
