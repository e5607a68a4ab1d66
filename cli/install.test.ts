import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Ran, runShoal } from '../test/support/cli/run-shoal.ts';

// Each test starts the program at least once, on machines that have other things to do.
jest.setTimeout(60_000);

const CONFIG = 'version = 2\n# mine\ndisabled_plugins = ["aufs"]\n';
const HEX = 'a'.repeat(64);

let folder: string;
let root: string;
let content: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-install-'));
  root = join(folder, 'containerd');
  content = join(root, 'io.containerd.content.v1.content');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function at(name: string): string {
  return join(folder, name);
}

function run(command: 'install' | 'uninstall', ...more: string[]): Promise<Ran> {
  const files = ['--config', at('shoal.toml'), '--containerd-config', at('config.toml'), '--root', root];
  return runShoal([command, 'containerd', ...files, ...more]);
}

async function files(): Promise<Record<string, string>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.toml'));
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(at(name), 'utf8')])));
}

describe('shoal install containerd', () => {
  it('installs, says so the second time, and takes back every byte', async () => {
    await writeFile(at('config.toml'), CONFIG);
    await writeFile(at('shoal.toml'), '[content]\nsocket = "/run/s.sock"\n');
    const before = await files();
    const first = await run('install');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain('systemctl restart shoal');
    const installed = await files();
    expect(installed['config.toml']).toContain('address = "/run/s.sock"');
    expect(installed['shoal.toml']).toContain(`root = "${content}"`);
    expect((await run('install')).stdout).toMatch(/^already installed/);
    expect(await files()).toEqual(installed);
    expect((await run('uninstall')).code).toBe(0);
    expect(await files()).toEqual(before);
    expect((await run('uninstall')).stdout).toBe('not installed\n');
  });

  it('makes files that were not there, and takes them away again', async () => {
    expect((await run('install')).code).toBe(0);
    expect(Object.keys(await files()).sort()).toEqual(['config.toml', 'shoal.toml']);
    expect((await run('uninstall')).code).toBe(0);
    expect(await files()).toEqual({});
  });

  it('--dry-run prints a diff and changes nothing', async () => {
    await writeFile(at('config.toml'), CONFIG);
    const { code, stdout, stderr } = await run('install', '--dry-run');
    expect(code).toBe(0);
    expect(stderr).toContain('This was a dry run: nothing was changed\n');
    expect(stdout).toContain(
      '-disabled_plugins = ["aufs"]\n+disabled_plugins = ["io.containerd.content.v1.content", "aufs"]',
    );
    expect(stdout).toContain(`--- /dev/null\n+++ ${at('shoal.toml')}`);
    expect(await files()).toEqual({ 'config.toml': CONFIG });
  });

  it('--json prints one document with the backups', async () => {
    await writeFile(at('config.toml'), CONFIG);
    const answer = JSON.parse((await run('install', '--json')).stdout);
    expect(answer).toMatchObject({ state: 'installed', content_root: content });
    const backup = answer.files.find((entry: { file: string }) => entry.file === at('config.toml')).backup;
    expect(await readFile(backup, 'utf8')).toBe(CONFIG);
  });

  it('keeps mode and link, and leaves no other file behind', async () => {
    await mkdir(at('etc'));
    await writeFile(at('etc/real.toml'), CONFIG);
    await chmod(at('etc/real.toml'), 0o600);
    await symlink(at('etc/real.toml'), at('config.toml'));
    expect((await run('install')).code).toBe(0);
    expect((await stat(at('config.toml'))).mode & 0o777).toBe(0o600);
    expect(await readFile(at('etc/real.toml'), 'utf8')).toContain('proxy_plugins.shoal');
    expect((await readdir(at('etc'))).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it.each([
    ['version 1', 'version = 1\nroot = "/x"\n', /version 1; the plugin needs version 2 or 3/],
    ['no version', 'root = "/x"\n', /no version/],
    [
      'another content store',
      'version = 2\n[proxy_plugins.nydus]\ntype = "content"\naddress = "/n"\n',
      /Two content stores/,
    ],
    [
      'a required built-in store',
      'version = 2\nrequired_plugins = ["io.containerd.content.v1.content"]\n',
      /required_plugins/,
    ],
  ])('refuses %s and writes nothing', async (_name, text, reason) => {
    await writeFile(at('config.toml'), text);
    const { code, stderr } = await run('install');
    expect([code, stderr]).toEqual([1, expect.stringMatching(reason)]);
    expect(await files()).toEqual({ 'config.toml': text });
  });

  it('refuses what is no TOML with file and line', async () => {
    await writeFile(at('config.toml'), 'version = 2\nroot =\n');
    const { code, stderr } = await run('install');
    expect([code, stderr]).toEqual([2, expect.stringContaining(`${at('config.toml')}:2: not TOML`)]);
  });

  it('looks into imported files', async () => {
    await mkdir(at('conf.d'));
    await writeFile(at('conf.d/a.toml'), 'version = 2\n[proxy_plugins.other]\ntype = "content"\naddress = "/o"\n');
    await writeFile(at('config.toml'), 'version = 2\nimports = ["conf.d/*.toml"]\n');
    const refused = await run('install');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(at('conf.d/a.toml'))]);
    await writeFile(at('conf.d/a.toml'), 'version = 2\ndisabled_plugins = ["io.containerd.content.v1.content"]\n');
    const warned = await run('install');
    expect([warned.code, warned.stderr]).toEqual([0, expect.stringContaining('wins over')]);
  });
});

describe('shoal uninstall containerd', () => {
  async function installWith(claims: readonly string[]): Promise<void> {
    await writeFile(at('config.toml'), `version = 2\n[grpc]\naddress = "${at('none.sock')}"\n`);
    await writeFile(at('shoal.toml'), `[content]\nsocket = "${at('s.sock')}"\n`);
    await run('install');
    await mkdir(join(content, 'blobs/sha256'), { recursive: true });
    await writeFile(join(content, 'blobs/sha256', HEX), 'blob');
    await mkdir(join(content, 'shoal/claims'), { recursive: true });
    for (const hex of claims) await writeFile(join(content, 'shoal/claims', hex), '{}');
  }

  it('removes our directory and nothing of containerd', async () => {
    await installWith([]);
    const { code, stdout } = await run('uninstall');
    expect([code, stdout]).toEqual([0, expect.stringContaining(`removed ${join(content, 'shoal')}`)]);
    expect(await readdir(content)).toEqual(['blobs']);
    expect(await readFile(join(content, 'blobs/sha256', HEX), 'utf8')).toBe('blob');
  });

  it('keeps it while claims cannot be given back, unless forced', async () => {
    const absent = 'f'.repeat(64);
    await installWith([absent]);
    const kept = await run('uninstall');
    expect([kept.code, kept.stderr]).toEqual([1, expect.stringMatching(/1 blobs that never arrived[\s\S]*--force/)]);
    expect(await readdir(join(content, 'shoal/claims'))).toEqual([absent]);
    expect((await run('uninstall', '--force')).code).toBe(0);
    expect(await readdir(content)).toEqual(['blobs']);
  });

  it('leaves it to a daemon that still serves it, and says what comes next', async () => {
    await installWith([]);
    const server = createServer((socket) => socket.end());
    await new Promise<void>((open) => server.listen(at('s.sock'), open));
    const served = await run('uninstall');
    expect([served.code, served.stdout]).toEqual([3, expect.stringContaining('systemctl stop shoal')]);
    expect(await readdir(content)).toContain('shoal');
    await new Promise((closed) => server.close(closed));
    expect((await run('uninstall')).code).toBe(0);
    expect(await readdir(content)).toEqual(['blobs']);
  });
});
