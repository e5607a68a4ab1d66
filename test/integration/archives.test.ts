/**
 * Images in archives, in a fleet that no registry answers: imported on one node, pulled by a real containerd through the other, exported
 * there again, and read by those who read such archives.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type TarFile, writeTar } from '../../plugin/archive/tar-writer.ts';
import { digestOf } from '../../core/oci/digest.ts';
import { type ContainerdProcess, startContainerd } from '../support/containerd/containerd-process.ts';
import { writeHostsToml } from '../support/containerd/hosts-toml.ts';
import { unavailable } from '../support/containerd/versions.ts';
import { eventually } from '../support/debian/eventually.ts';
import { runCommand } from '../support/debian/run-command.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import { DOCKER_VERSIONS, dockerdUnavailable, startDockerd } from '../support/docker/dockerd.ts';
import { busyboxImage } from '../support/docker-registry/busybox-image.ts';
import { runShoal } from '../support/cli/run-shoal.ts';
import { freePort } from '../support/debian/free-port.ts';
import { type NodeProcess, startNode } from '../support/node/node-process.ts';

const DEADLINE_MS = 120_000;
const MAIN = resolve(import.meta.dirname, '../../cli/main.ts');

const reason = unavailable('2.1');
if (reason !== undefined) process.stderr.write(`Archives are not tried: ${reason}\n`);

(reason === undefined ? describe : describe.skip)('Images in archives', () => {
  let directory = '';
  let dead = '';
  let nodes: readonly NodeProcess[] = [];
  let containerd: ContainerdProcess;
  let hostsDirectory = '';
  const at = (index: number) => ['--admin', nodes[index]?.adminUrl.slice('http://'.length) ?? ''];
  const fileOf = (name: string) => join(directory, name);
  const scenario = (title: string, work: () => Promise<void>) => it(title, work, DEADLINE_MS);

  beforeAll(async () => {
    directory = await makeTestDirectory('shoal-archives-');
    const keyFile = fileOf('mesh.key');
    await writeFile(keyFile, randomBytes(32).toString('base64'), { mode: 0o600 });
    // Nobody listens there.
    dead = `127.0.0.1:${await freePort()}`;
    const joinPort = await freePort();
    const start = async (name: string, port: number) => {
      const mesh = { name, port, joinPort, keyFile };
      return startNode({
        directory: fileOf(name),
        registries: [{ host: dead, url: `http://${dead}` }],
        mirror: true,
        mesh,
      });
    };
    nodes = [await start('a', joinPort), await start('b', await freePort())];
    for (const node of nodes) await eventually(node.membersAlive, (count) => count === 2);
    hostsDirectory = await writeHostsToml(fileOf('hosts'), nodes[1]?.mirror ?? '');
    containerd = await startContainerd({ directory: fileOf('c'), version: '2.1' });
  }, DEADLINE_MS);

  afterAll(async () => {
    await containerd?.stop();
    for (const node of nodes) await node.stop();
    await removeTestDirectory(directory);
  }, DEADLINE_MS);

  /** An OCI layout as tar with one image that says `words`. */
  const layout = async (words: string, name: string | undefined): Promise<Buffer> => {
    const image = await busyboxImage({ 'hello.txt': words });
    const [manifest] = image.manifests;
    if (manifest === undefined) throw new Error('The image has no manifest');
    const annotations = name === undefined ? {} : { 'io.containerd.image.name': name };
    const { mediaType, bytes } = manifest;
    const index = {
      schemaVersion: 2,
      manifests: [{ mediaType, digest: digestOf(bytes), size: bytes.length, annotations }],
    };
    const blobs = [...image.blobs, bytes].map((blob) => file(`blobs/sha256/${digestOf(blob).slice(7)}`, blob));
    return packed([
      file('oci-layout', json({ imageLayoutVersion: '1.0.0' })),
      ...blobs,
      file('index.json', json(index)),
    ]);
  };

  const containerSays = (reference: string) => containerd.runContainer(reference, ['cat', '/hello.txt']);

  scenario(
    'an OCI layout imported on one node is pulled through the other, by its tag, without any registry',
    async () => {
      const name = `${dead}/library/app:layout`;
      await writeFile(fileOf('layout.tar.zst'), zstdCompressSync(await layout('from a layout\n', name)));
      const { code, stdout, stderr } = await runShoal(['import', fileOf('layout.tar.zst'), ...at(0), '--pin', '1h']);
      expect([code, stdout, stderr]).toEqual([
        0,
        expect.stringMatching(`^${name} sha256:[0-9a-f]{64}: 3 blobs, `),
        expect.any(String),
      ]);
      await containerd.pull(name, { hostsDirectory });
      expect(await containerSays(name)).toBe('from a layout\n');
      expect(await nodes[1]?.metric('shoal_peer_bytes_total', { direction: 'received' })).toBeGreaterThan(100_000);
      const again = await runShoal(['import', fileOf('layout.tar.zst'), ...at(0)]);
      expect(again.stderr).toContain('0 B were new');
    },
  );

  scenario('what docker saved comes in by a pipe', async () => {
    const name = `${dead}/library/app:docker`;
    await writeFile(fileOf('plain.tar'), await layout('from docker save\n', undefined));
    await copied(`oci-archive:${fileOf('plain.tar')}`, `docker-archive:${fileOf('docker.tar')}:${name}`);
    const child = spawn('sh', [
      '-c',
      `cat "$0" | exec "$@"`,
      fileOf('docker.tar'),
      process.execPath,
      MAIN,
      'import',
      '-',
      ...at(0),
    ]);
    expect(await text(child.stdout)).toMatch(`${name} sha256:`);
    await containerd.pull(name, { hostsDirectory });
    expect(await containerSays(name)).toBe('from docker save\n');
  });

  scenario('the other node exports it, and skopeo and containerd read it', async () => {
    const name = `${dead}/library/app:export`;
    await writeFile(fileOf('in.tar'), await layout('there and back\n', undefined));
    expect(await runShoal(['import', fileOf('in.tar'), '--name', name, ...at(0)])).toMatchObject({ code: 0 });
    const out = fileOf('out.tar');
    expect(await runShoal(['export', name, out, ...at(1)])).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(name),
    });
    await copied(`oci-archive:${out}`, `dir:${fileOf('as-oci')}`);
    await copied(`docker-archive:${out}`, `dir:${fileOf('as-docker')}`);
    await containerd.ctr(['images', 'import', out]);
    expect(await containerSays(name)).toBe('there and back\n');
    expect(await runShoal(['export', name, fileOf('out.tar.gz'), ...at(0)])).toMatchObject({ code: 0 });
    expect((await readFile(fileOf('out.tar.gz'))).subarray(0, 2).toString('hex')).toBe('1f8b');
    expect(await runShoal(['import', fileOf('out.tar.gz'), ...at(1)])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(name),
    });
  });

  for (const docker of DOCKER_VERSIONS) {
    const without = dockerdUnavailable(docker);
    if (without !== undefined) process.stderr.write(`Archives of dockerd ${docker} are not tried: ${without}\n`);
    (without === undefined ? scenario : it.skip)(
      `dockerd ${docker} loads what was exported, and what it saves comes in`,
      async () => {
        const name = `${dead}/library/app:for-${docker}`;
        await writeFile(fileOf('in.tar'), await layout(`by way of ${docker}\n`, name));
        expect(await runShoal(['import', fileOf('in.tar'), ...at(0)])).toMatchObject({ code: 0 });
        expect(await runShoal(['export', name, fileOf('out.tar'), ...at(1)])).toMatchObject({ code: 0 });
        const configFile = fileOf(`daemon-${docker}.json`);
        await writeFile(configFile, '{}');
        const folder = fileOf(`d${docker}`);
        await using daemon = await startDockerd({
          version: docker,
          directory: folder,
          configFile,
          containerdSocket: containerd.socket,
        });
        const run = async (...args: string[]) => {
          const { exitCode, stdout, stderr } = await daemon.docker(args);
          if (exitCode !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}\n${await daemon.log()}`);
          return stdout;
        };
        expect(await run('load', '--input', fileOf('out.tar'))).toContain(name);
        const saved = `${dead}/library/app:saved-by-${docker}`;
        await run('tag', name, saved);
        await run('save', '--output', fileOf('saved.tar'), saved);
        expect(await runShoal(['import', fileOf('saved.tar'), ...at(0)])).toMatchObject({
          code: 0,
          stdout: expect.stringContaining(saved),
        });
        await containerd.pull(saved, { hostsDirectory });
        expect(await containerSays(saved)).toBe(`by way of ${docker}\n`);
      },
    );
  }

  scenario('a broken archive says what is wrong and where, and nothing of it is named', async () => {
    const name = `${dead}/library/app:broken`;
    const whole = await layout('never whole\n', name);
    await writeFile(fileOf('cut.tar'), whole.subarray(0, 300_000));
    expect(await runShoal(['import', fileOf('cut.tar'), ...at(0)])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^shoal: Archive ends inside "blobs\/sha256\/[0-9a-f]{64}" \(entry at offset \d+\): \d+ of \d+ bytes\n$/,
      ),
    });
    const flipped = Buffer.from(whole);
    flipped.writeUInt8((flipped[200_000] ?? 0) ^ 1, 200_000);
    await writeFile(fileOf('flipped.tar'), flipped);
    expect(await runShoal(['import', fileOf('flipped.tar'), ...at(0)])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('(entry at offset'),
    });
    expect((await runShoal(['export', name, fileOf('none.tar'), ...at(0)])).code).toBe(1);
    await expect(stat(fileOf('none.tar'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await runShoal(['import', fileOf('nowhere.tar'), ...at(0)])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nowhere.tar'),
    });
  });

  it('a browser cannot send one from another page', async () => {
    const post = (type: string) =>
      fetch(`${nodes[0]?.adminUrl}/api/v1/import`, { method: 'POST', headers: { 'content-type': type }, body: 'x' });
    expect((await post('text/plain')).status).toBe(400);
    expect(await (await post('application/x-tar')).text()).toContain('"failed"');
  });
});

async function copied(from: string, to: string): Promise<void> {
  const { exitCode, stderr } = await runCommand('skopeo', ['--insecure-policy', 'copy', from, to]);
  if (exitCode !== 0) throw new Error(stderr);
}

async function packed(files: readonly TarFile[]): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of writeTar(files)) parts.push(part);
  return Buffer.concat(parts);
}

function file(name: string, bytes: Uint8Array): TarFile {
  return { name, size: bytes.length, content: [bytes] };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
