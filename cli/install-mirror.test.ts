import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Ran, runShoal } from '../test/support/cli/run-shoal.ts';

// Each test starts the program at least once, on machines that have other things to do.
jest.setTimeout(60_000);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-install-mirror-'));
  await writeFile(at('shoal.toml'), '[mirror]\nlisten = "0.0.0.0:7777"\n');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function at(...names: string[]): string {
  return join(folder, ...names);
}

async function put(text: string, ...names: string[]): Promise<void> {
  await mkdir(dirname(at(...names)), { recursive: true });
  await writeFile(at(...names), text);
}

/** Every file but the backups, by its name below the folder. */
async function files(): Promise<Record<string, string>> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => /\.(toml|json)$/.test(name)).sort();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(at(name), 'utf8')])));
}

describe('shoal install containerd --hosts', () => {
  const run = (way: 'install' | 'uninstall', ...more: string[]): Promise<Ran> =>
    runShoal([way, 'containerd', '--config', at('shoal.toml'), '--containerd-config', at('config.toml'), ...more]);

  it('adds the mirror behind what is there, for every registry, and takes back every byte', async () => {
    await put(
      `version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "${at('certs')}"\n`,
      'config.toml',
    );
    const own = 'server = "https://quay.io"\n\n[host."https://first.example"]\n  skip_verify = true\n';
    await put(own, 'certs', 'quay.io', 'hosts.toml');
    const before = await files();
    const dry = await run('install', '--hosts', '--dry-run');
    expect(dry.stdout).toContain('+[host."http://127.0.0.1:7777"]  # added by shoal install');
    expect(await files()).toEqual(before);
    const first = await run('install', '--hosts');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    const installed = await files();
    const table = '[host."http://127.0.0.1:7777"]  # added by shoal install\n  capabilities = ["pull", "resolve"]\n';
    expect(installed['certs/_default/hosts.toml']).toBe(table);
    expect(installed['certs/quay.io/hosts.toml']).toBe(`${own}\n${table}`);
    expect((await readdir(at('certs', 'quay.io'))).length).toBe(2);
    expect((await run('install', '--hosts')).stdout).toBe('already installed\n');
    expect((await run('uninstall', '--hosts')).stdout).toMatch(/^uninstalled\n/);
    expect(await files()).toEqual(before);
    expect((await run('uninstall', '--hosts')).stdout).toBe('not installed\n');
  });

  it('tells containerd where the files are, and takes that back too', async () => {
    const own = 'version = 2\n\n[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = ""\n';
    await put(own, 'config.toml');
    const dry = await run('install', '--hosts', at('certs'), '--dry-run');
    expect(dry.stdout).toContain(`+  config_path = "${at('certs')}"`);
    const { code, stdout, stderr } = await run('install', '--hosts', at('certs'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('systemctl restart containerd');
    const installed = await files();
    expect(installed['certs/_default/hosts.toml']).toContain('7777');
    expect(installed['config.toml']).toContain(`config_path = "${at('certs')}"  # was "" before shoal install`);
    expect((await readdir(folder)).filter((name) => name.startsWith('config.toml.shoal-'))).toHaveLength(1);
    expect((await run('install', '--hosts')).stdout).toBe('already installed\n');
    expect((await run('uninstall', '--hosts')).stdout).toContain('systemctl restart containerd');
    expect((await files())['config.toml']).toBe(own);
    expect(Object.keys(await files())).toEqual(['config.toml', 'shoal.toml']);
  });

  it('makes the configuration of a containerd that has none, and takes it away again', async () => {
    expect((await run('install', '--hosts', at('certs'))).code).toBe(0);
    expect((await files())['config.toml']).toContain('version = 2');
    expect((await run('uninstall', '--hosts')).code).toBe(0);
    expect(Object.keys(await files())).toEqual(['shoal.toml']);
  });

  it('says what containerd still has to be told when its configuration cannot be added to', async () => {
    await put('version = 2\nplugins = { "io.containerd.grpc.v1.cri" = { sandbox_image = "x" } }\n', 'config.toml');
    const { code, stderr } = await run('install', '--hosts', at('certs'));
    expect(code).toBe(0);
    expect(stderr).toContain(`Set config_path = "${at('certs')}"`);
    expect((await files())['certs/_default/hosts.toml']).toContain('7777');
  });

  it('refuses while there is no mirror to point to', async () => {
    await writeFile(at('shoal.toml'), '[mirror]\nlisten = ""\n');
    const { code, stderr } = await run('install', '--hosts', at('certs'));
    expect(code).not.toBe(0);
    expect(stderr).toContain('mirror.listen');
    expect(Object.keys(await files())).toEqual(['shoal.toml']);
  });
});

describe('shoal install docker', () => {
  const run = (way: 'install' | 'uninstall', ...more: string[]): Promise<Ran> =>
    runShoal([
      ...[way, 'docker', '--config', at('shoal.toml'), '--docker-config', at('daemon.json')],
      ...['--containerd-config', at('config.toml'), ...more],
    ]);
  const PLUGIN = 'version = 2\n[proxy_plugins.shoal]\ntype = "content"\naddress = "/run/shoal/content.sock"\n';

  it('adds the mirror to daemon.json, other keys untouched, and takes it back', async () => {
    const text = `${JSON.stringify({ 'log-driver': 'local', 'registry-mirrors': ['https://other.example'], x: { y: 1 } }, null, 4)}\n`;
    await put(text, 'daemon.json');
    const { code, stdout, stderr } = await run('install');
    expect(code).toBe(0);
    expect(stdout).toContain('systemctl reload docker');
    expect(stderr).toContain('docker.io only');
    const installed = JSON.parse((await files())['daemon.json'] ?? '');
    expect(installed).toEqual({
      ...JSON.parse(text),
      'registry-mirrors': ['https://other.example', 'http://127.0.0.1:7777'],
    });
    expect((await run('install')).stdout).toBe('already installed\n');
    expect((await run('uninstall')).code).toBe(0);
    expect((await files())['daemon.json']).toBe(text);
  });

  it('makes the file when there is none, and takes it away again', async () => {
    expect((await run('install')).code).toBe(0);
    expect((await files())['daemon.json']).toContain('http://127.0.0.1:7777');
    expect((await run('uninstall')).code).toBe(0);
    expect(Object.keys(await files())).toEqual(['shoal.toml']);
  });

  it('touches nothing that it cannot read', async () => {
    await put('{ "registry-mirrors": ', 'daemon.json');
    const { code, stderr } = await run('install');
    expect(code).not.toBe(0);
    expect(stderr).toContain('is not JSON; mend it first');
    expect((await files())['daemon.json']).toBe('{ "registry-mirrors": ');
  });

  it('has Docker keep its images in a containerd with the plugin, and takes that back', async () => {
    const refused = await run('install', '--through', 'containerd');
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('"shoal install containerd" first');
    await put(PLUGIN, 'config.toml');
    const text = `${JSON.stringify({ features: { buildkit: true }, debug: false }, null, 2)}\n`;
    await put(text, 'daemon.json');
    const { code, stdout, stderr } = await run('install', '--through', 'containerd');
    expect(code).toBe(0);
    expect(stdout).toContain('systemctl restart docker');
    expect(stderr).toContain('Every registry goes through the plugin');
    expect(JSON.parse((await files())['daemon.json'] ?? '')).toEqual({
      features: { buildkit: true, 'containerd-snapshotter': true },
      debug: false,
    });
    expect((await run('install', '--through', 'containerd')).stdout).toBe('already installed\n');
    expect((await run('uninstall', '--through', 'containerd')).code).toBe(0);
    expect((await files())['daemon.json']).toBe(text);
  });

  it('says which way fits the machine', async () => {
    await put(PLUGIN, 'config.toml');
    expect((await run('install', '--dry-run')).stderr).toContain('the other way fits better');
    await put('{"features":{"containerd-snapshotter":true}}', 'daemon.json');
    expect((await run('install', '--dry-run')).stderr).toContain('every registry goes through that already');
  });

  it('refuses a storage driver that containerd does not have', async () => {
    await put(PLUGIN, 'config.toml');
    await put('{"storage-driver":"overlay2"}', 'daemon.json');
    const { code, stderr } = await run('install', '--through', 'containerd');
    expect(code).not.toBe(0);
    expect(stderr).toContain('storage-driver "overlay2"');
  });
});
