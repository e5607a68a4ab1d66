/** `shoal doctor` and what a node needs of its machine and its registries, each fault really there. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { type DaemonProcess, startDaemon } from '../support/debian/daemon-process.ts';
import { runCommand } from '../support/debian/run-command.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import { diagnose } from '../support/doctor/diagnose.ts';
import {
  type DockerRegistry,
  dockerRegistryUnavailable,
  startDockerRegistry,
} from '../support/docker-registry/docker-registry.ts';
import { FakeRegistry } from '../support/fake-registry/fake-registry.ts';
import { nodeConfigText } from '../support/node/node-config.ts';
import { freePort } from '../support/debian/free-port.ts';

const DEADLINE_MS = 60_000;
const isRoot = process.getuid?.() === 0;
const reason = isRoot ? dockerRegistryUnavailable() : 'mounts need root';
if (reason !== undefined) process.stderr.write(`doctor-node: some tests are skipped, ${reason}\n`);
const scenario = (title: string, work: () => Promise<void>) => it(title, work, DEADLINE_MS);
const scenarioIf = (title: string, work: () => Promise<void>) => (reason ? it.skip : it)(title, work, DEADLINE_MS);

let directory: string;
let daemon: DaemonProcess | undefined;

beforeAll(async () => {
  directory = await makeTestDirectory('shoal-doctor-');
  await writeFile(join(directory, 'docker.json'), '{}');
});

afterEach(async () => {
  await daemon?.terminate(10_000);
  daemon = undefined;
});

afterAll(async () => removeTestDirectory(directory));

async function configure(more: (text: string) => string = (text) => text): Promise<string> {
  const config = join(directory, 'shoal.toml');
  await mkdir(join(directory, 'content'), { recursive: true });
  await writeFile(config, more(nodeConfigText({ directory, adminPort: await freePort(), registries: [] })));
  return config;
}

async function serve(config: string, within: readonly string[]): Promise<void> {
  const program = join(import.meta.dirname, '../../cli/main.ts');
  const logFile = join(directory, 'shoal.log');
  daemon = await startDaemon({
    name: 'shoal serve',
    command: [...within, process.execPath, program, 'serve', '--config', config],
    env: { NODE_OPTIONS: '' },
    stdoutFile: logFile,
    stderrFile: logFile,
  });
  await daemon.waitUntil('is ready', 30_000, async () =>
    (await diagnose({ config })).of('daemon').level === 'ok' ? true : undefined,
  );
}

const registryTable = (host: string, url: string, password: string) => (text: string) =>
  `${text}\n[[upstream.registry]]\nhost = "${host}"\nendpoint = "${url}"\nusername = "user"\npassword_file = "${password}"\n`;

scenarioIf('a password that a real registry refuses, and one that it takes', async () => {
  const registry: DockerRegistry = await startDockerRegistry({ credentials: { username: 'user', password: 'right' } });
  try {
    const password = join(directory, 'password');
    await writeFile(password, 'wrong');
    const config = await configure(registryTable(registry.host, registry.url, password));
    expect((await diagnose({ config })).of('registry credentials')).toEqual({
      check: 'registry credentials',
      level: 'problem',
      says: `${registry.host} refuses the credential of ${password}`,
      fix: `Write the right password into ${password}, then: systemctl reload shoal`,
    });
    await writeFile(password, 'right\n');
    expect((await diagnose({ config })).of('registry credentials')).toMatchObject({
      level: 'ok',
      says: `Taken by ${registry.host}`,
    });
    await registry.pause();
    expect((await diagnose({ config })).of('registry credentials')).toMatchObject({
      level: 'warning',
      says: expect.stringContaining('cannot be asked'),
    });
  } finally {
    await registry.stop();
  }
});

scenario("docker's file with a password that a token server refuses, and one that it takes", async () => {
  const registry = await FakeRegistry.start({ scheme: 'http' });
  try {
    registry.faults.auth = { kind: 'bearer', users: { user: 'right' } };
    const config = await configure(
      (text) => `${text}\n[[upstream.registry]]\nhost = "${registry.host}"\nendpoint = "${registry.url}"\n`,
    );
    const file = join(directory, 'docker.json');
    const write = (password: string) =>
      writeFile(
        file,
        JSON.stringify({ auths: { [registry.host]: { auth: Buffer.from(`user:${password}`).toString('base64') } } }),
      );
    await write('wrong');
    const refused = (await diagnose({ config })).of('registry credentials');
    expect(refused).toMatchObject({
      level: 'problem',
      fix: `docker login ${registry.host}, with DOCKER_CONFIG=${directory}`,
    });
    expect(JSON.stringify(refused)).not.toContain('wrong');
    await write('right');
    expect((await diagnose({ config })).of('registry credentials')).toMatchObject({ level: 'ok' });
    await writeFile(file, 'no json');
    expect((await diagnose({ config })).of('registry credentials')).toMatchObject({
      level: 'problem',
      says: expect.stringContaining(file),
    });
  } finally {
    await writeFile(join(directory, 'docker.json'), '{}');
    await registry[Symbol.asyncDispose]();
  }
});

scenarioIf('a disk that is full, nearly full, and not', async () => {
  const root = join(directory, 'small');
  await mkdir(root);
  expect((await runCommand('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'doctor', root])).exitCode).toBe(0);
  try {
    const config = await configure((text) =>
      text
        .replace(/^root = .*/m, `root = "${root}"`)
        .replace('capacity = "4GiB"', 'capacity = "16MiB"')
        .replace('min_free = "64MiB"', 'min_free = "16MiB"'),
    );
    const disk = async () => (await diagnose({ config })).of('disk space');
    expect(await disk()).toMatchObject({ level: 'ok' });
    await writeFile(join(root, 'ballast'), Buffer.alloc(45 * 1024 * 1024));
    expect(await disk()).toMatchObject({
      level: 'warning',
      says: expect.stringContaining('soon less than store.min_free'),
    });
    await writeFile(join(root, 'more'), Buffer.alloc(8 * 1024 * 1024));
    expect(await disk()).toMatchObject({ level: 'problem', says: expect.stringContaining('less than store.min_free') });
  } finally {
    await runCommand('umount', [root]);
  }
});

scenarioIf('a mount below the content directory', async () => {
  const config = await configure();
  const below = join(directory, 'content/blobs');
  await mkdir(below, { recursive: true });
  await runCommand('mount', ['-t', 'tmpfs', 'doctor', below]);
  try {
    expect((await diagnose({ config })).of('content directory')).toMatchObject({
      level: 'problem',
      fix: `umount ${below}`,
    });
  } finally {
    await runCommand('umount', [below]);
  }
  expect((await diagnose({ config })).of('content directory')).toMatchObject({ level: 'ok' });
});

scenario('a daemon that may open too few files, by its own limit and not by that of the shell', async () => {
  const config = await configure();
  await serve(config, ['prlimit', '--nofile=1024:1024']);
  expect((await diagnose({ config })).of('limits')).toMatchObject({
    level: 'warning',
    says: 'The daemon may open 1024 files; a busy node wants 8192',
    fix: expect.stringContaining('LimitNOFILE=65536'),
  });
});

scenario('a daemon with files enough', async () => {
  const config = await configure();
  await serve(config, ['prlimit', '--nofile=10000:10000']);
  expect((await diagnose({ config })).of('limits')).toMatchObject({
    level: 'ok',
    says: expect.stringMatching(/^\d+ of 10000 open files/),
  });
});

scenarioIf('too few inotify instances and watches, as the kernel says', async () => {
  const config = await configure();
  const low = join(directory, 'low');
  await writeFile(low, '8\n');
  const within = (name: string) => {
    const script = `mount --bind "$0" /proc/sys/fs/inotify/${name} && exec "$@"`;
    return ['unshare', '--mount', 'sh', '-c', script, low];
  };
  const limits = async (name: string) => (await diagnose({ config, within: within(name) })).of('limits');
  expect(await limits('max_user_instances')).toMatchObject({
    level: 'warning',
    fix: 'sysctl fs.inotify.max_user_instances=128',
  });
  expect(await limits('max_user_watches')).toMatchObject({
    level: 'warning',
    fix: 'sysctl fs.inotify.max_user_watches=524288',
  });
});

scenario('a configuration that is wrong, with file, line and key', async () => {
  const config = await configure((text) => text.replace('[store]', '[store]\nhigh_watermrk = 0.9'));
  const { of, exitCode } = await diagnose({ config });
  expect(of('configuration')).toMatchObject({
    level: 'problem',
    says: expect.stringMatching(/shoal\.toml:\d+.*high_watermrk/),
  });
  expect(exitCode).toBe(1);
  await chmod(config, 0o600);
});
