/**
 * The Debian package on machines of its own: bookworm and trixie with their own systemd and containerd. Installed, upgraded over an edited
 * configuration, killed and upgraded in the middle of pulls, refused where removing would strand images, removed, purged.
 */
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/debian/eventually.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import { type BootedRoot, type Suite, bootRoot, bootUnavailable } from '../support/packages/booted-root.ts';
import { buildPackage } from '../support/packages/build-packages.ts';
import { type MachineImage, machine } from '../support/packages/machine.ts';

const DEADLINE_MS = 300_000;
const SUITES: readonly Suite[] = ['bookworm', 'trixie'];
const PUSH = resolve(import.meta.dirname, '../support/packages/push-images.ts');

let folder = '';
let debs: string[] = [];

beforeAll(async () => {
  if (SUITES.every((suite) => bootUnavailable(suite) !== undefined)) return;
  folder = await makeTestDirectory('shoal-debs-');
  debs = [
    await buildPackage({ format: 'deb', arch: 'amd64' }, join(folder, '1')),
    await buildPackage({ format: 'deb', arch: 'amd64', revision: 2 }, join(folder, '2')),
  ];
}, DEADLINE_MS);

afterAll(() => removeTestDirectory(folder));

for (const suite of SUITES) {
  const reason = process.arch === 'x64' ? bootUnavailable(suite) : 'the packages that it builds are for amd64';
  if (reason !== undefined) process.stderr.write(`The Debian package on ${suite} is not tested: ${reason}\n`);

  (reason === undefined ? describe : describe.skip)(`The Debian package on ${suite}`, () => {
    let root: BootedRoot;
    let images: MachineImage[] = [];
    const scenario = (title: string, work: () => Promise<void>) => it(title, work, DEADLINE_MS);
    const on = () => machine(root);
    const dpkg = (args: string) => root.sh(`dpkg ${args} 2>&1`, DEADLINE_MS);
    const state = async () => (await root.sh(`dpkg-query -W -f '\${db:Status-Abbrev}' shoal`)).stdout.trim();

    beforeAll(async () => {
      root = await bootRoot(suite, debs);
      const pushed = await root.inItsNetwork([
        process.execPath,
        PUSH,
        'http://127.0.0.1:5000',
        '6',
        'one',
        'two',
        'three',
        'four',
      ]);
      images = pushed
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      await root.inItsNetwork([
        'tc',
        'qdisc',
        'add',
        'dev',
        'lo',
        'root',
        'tbf',
        'rate',
        '100mbit',
        'burst',
        '512k',
        'latency',
        '100ms',
      ]);
    }, DEADLINE_MS);

    afterAll(() => root?.stop(), DEADLINE_MS);

    scenario('installing starts the node, and changes no configuration of containerd', async () => {
      const before = await root.ok('cat /etc/containerd/config.toml');
      const { stdout, exitCode } = await dpkg('-i /packages/shoal_*-1_amd64.deb');
      expect([exitCode, stdout]).toEqual([0, expect.stringContaining('Setting up shoal')]);
      expect(await root.ok('systemctl is-active shoal')).toBe('active\n');
      expect(await root.ok('systemctl show shoal --property Type,NotifyAccess,NRestarts')).toContain('NRestarts=0');
      expect((await root.sh('systemctl is-enabled shoal shoal-warmer.timer')).stdout).toBe('enabled\ndisabled\n');
      expect(await root.ok('cat /etc/containerd/config.toml')).toBe(before);
      expect(await root.ok('shoal status')).toMatch(/ready +yes/);
      expect(await root.ok('zcat /usr/share/man/man1/shoal-install-containerd.1.gz')).toContain('.SH OPTIONS');
    });

    scenario('units are what systemd expects, and hardened', async () => {
      expect(
        await root.sh('systemd-analyze verify --man=no shoal.service shoal-warmer.service shoal-warmer.timer'),
      ).toMatchObject({ exitCode: 0, stderr: '' });
      const security = await root.sh(
        'systemd-analyze security --offline=true --threshold=25 --no-pager /usr/lib/systemd/system/shoal*.service',
      );
      expect([security.exitCode, security.stdout.match(/Overall exposure level for \S+: \S+/g)]).toEqual([
        0,
        expect.any(Array),
      ]);
      expect(await root.ok('systemctl show shoal --property Before')).toContain('containerd.service');
    });

    scenario('an edited configuration survives an upgrade, which replaces the daemon', async () => {
      await root.ok(
        `printf '\\n[[upstream.registry]]\\nhost = "127.0.0.1:5000"\\nendpoint = "http://127.0.0.1:5000"\\n' >>/etc/shoal/shoal.toml`,
      );
      const edited = await root.ok('cat /etc/shoal/shoal.toml');
      const pid = await on().daemonPid();
      expect((await dpkg('-i /packages/shoal_*-2_amd64.deb')).exitCode).toBe(0);
      expect(await root.ok('cat /etc/shoal/shoal.toml')).toBe(edited);
      expect(await root.ok('systemctl is-active shoal')).toBe('active\n');
      expect(await on().daemonPid()).not.toBe(pid);
    });

    scenario('over a configuration that the new one refuses, the old daemon serves on until it is mended', async () => {
      const pid = await on().daemonPid();
      await root.ok('cp /etc/shoal/shoal.toml /root/kept.toml && echo "nonsense = 1" >/etc/shoal/shoal.toml');
      const { exitCode, stdout } = await dpkg('-i /packages/shoal_*-1_amd64.deb');
      expect([exitCode, stdout]).toEqual([1, expect.stringContaining('dpkg --configure shoal')]);
      expect(stdout).toContain('nonsense');
      expect([await state(), await on().daemonPid()]).toEqual(['iF', pid]);
      await root.ok('mv /root/kept.toml /etc/shoal/shoal.toml && dpkg --configure shoal');
      expect([await state(), await root.ok('systemctl is-active shoal')]).toEqual(['ii', 'active\n']);
    });

    scenario('containerd takes its images through it after "shoal install containerd"', async () => {
      await on().pull('one');
      await root.ok('shoal install containerd && systemctl restart shoal && systemctl restart containerd');
      await on().pull('two');
      expect(await on().lost(images.slice(0, 2))).toEqual([]);
      expect(await root.ok('shoal status')).toMatch(/containerd reachable/);
    });

    scenario("the warmer's unit warms once, as a user of its own", async () => {
      const warmer = `
[[source]]
kind = "images"
list = ["127.0.0.1:5000/library/one:v1"]

[[upstream.registry]]
host = "127.0.0.1:5000"
endpoint = "http://127.0.0.1:5000"
`;
      await root.ok(`cat >>/etc/shoal/warmer.toml <<'END'\n${warmer}END\nsystemctl start shoal-warmer`);
      expect(await root.ok('shoal blobs')).toContain('pin');
      expect(await root.ok('journalctl --unit shoal-warmer --output cat')).not.toContain('EACCES');
    });

    scenario('containerd started alone has the node started first, and begins when it is ready', async () => {
      await root.ok('systemctl stop containerd shoal && systemctl start containerd');
      const at = async (unit: string, property: string) =>
        Number(await root.ok(`systemctl show ${unit} --property ${property} --value`));
      const ready = await at('shoal', 'ActiveEnterTimestampMonotonic');
      expect(ready).toBeGreaterThan(0);
      expect(await at('containerd', 'ExecMainStartTimestampMonotonic')).toBeGreaterThanOrEqual(ready);
      expect(await on().lost(images.slice(0, 2))).toEqual([]);
    });

    scenario('killed under load, it is back at once, and no pull fails for good', async () => {
      const pid = await on().daemonPid();
      const pulling = on().pull('three');
      await on().waitForDownload();
      await root.ok('systemctl kill --signal KILL shoal');
      expect(await pulling).toBeLessThanOrEqual(5);
      expect(await on().daemonPid()).not.toBe(pid);
      expect(await on().lost(images.slice(0, 3))).toEqual([]);
    });

    scenario('a daemon that hangs is replaced by the watchdog', async () => {
      await root.ok(
        'mkdir -p /run/systemd/system/shoal.service.d && printf "[Service]\\nWatchdogSec=3\\n" >/run/systemd/system/shoal.service.d/watchdog.conf && systemctl daemon-reload && systemctl restart shoal',
      );
      const pid = await on().daemonPid();
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      expect(await on().daemonPid()).toBe(pid);
      await root.ok(`kill -STOP ${pid}`);
      await eventually(
        () => on().daemonPid(),
        (now) => now !== pid && now !== '0',
        20_000,
      );
      await root.ok('rm -r /run/systemd/system/shoal.service.d && systemctl daemon-reload');
      await eventually(
        () => root.sh('systemctl is-active shoal'),
        ({ stdout }) => stdout === 'active\n',
      );
    });

    scenario('upgraded in the middle of a pull, no pull fails for good', async () => {
      const pulling = on().pull('four');
      await on().waitForDownload();
      expect((await dpkg('-i /packages/shoal_*-2_amd64.deb')).exitCode).toBe(0);
      expect(await pulling).toBeLessThanOrEqual(5);
      expect(await on().lost(images)).toEqual([]);
    });

    scenario('it is not removed where containerd would be left without its store', async () => {
      await root.ok('mount --bind /etc /etc && mount -o remount,bind,ro /etc');
      const { exitCode, stdout } = await dpkg('-r shoal');
      await root.ok('umount /etc');
      expect([exitCode, stdout]).toEqual([1, expect.stringContaining('shoal: not removed')]);
      // Wanted to be removed, and installed.
      expect([await state(), await root.ok('systemctl is-active shoal')]).toEqual(['ri', 'active\n']);
      expect(await on().lost(images)).toEqual([]);
    });

    scenario(
      'where there is no systemd, whoever runs containerd has to restart it before the package goes',
      async () => {
        const remove = () =>
          root.sh("unshare --mount sh -c 'mount -t tmpfs none /run/systemd && dpkg -r shoal' 2>&1", DEADLINE_MS);
        expect(await remove()).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('so restart it') });
        await root.ok('sleep 3; systemctl restart containerd');
        expect(await remove()).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('shoal still runs') });
        await root.ok('shoal install containerd && systemctl restart shoal && systemctl restart containerd');
        expect(await on().lost(images)).toEqual([]);
      },
    );

    scenario('with files of it missing it is not removed either; installing again mends it', async () => {
      await root.ok('rm /usr/lib/shoal/node');
      expect(await dpkg('-r shoal')).toMatchObject({
        exitCode: 1,
        stdout: expect.stringContaining('install the package again'),
      });
      expect((await dpkg('-i /packages/shoal_*-2_amd64.deb')).exitCode).toBe(0);
      expect(await on().lost(images)).toEqual([]);
    });

    scenario('removing gives containerd its own store back with every image; purging leaves nothing', async () => {
      expect(await dpkg('-r shoal')).toMatchObject({ exitCode: 0 });
      expect(await root.sh('grep shoal /etc/containerd/config.toml')).toMatchObject({ exitCode: 1 });
      expect(await root.ok('systemctl is-active containerd')).toBe('active\n');
      expect(await root.sh('systemctl is-active shoal')).toMatchObject({ stdout: 'inactive\n' });
      expect(await on().lost(images)).toEqual([]);
      expect(await root.ok('cat /etc/shoal/shoal.toml')).toContain('127.0.0.1:5000');
      expect((await dpkg('-P shoal')).exitCode).toBe(0);
      const left = await root.ok('find /etc /usr /var/lib /run -xdev -name "*shoal*" ! -path "/etc/containerd/*"');
      expect(left).toBe('');
    });
  });
}
