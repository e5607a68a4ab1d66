/**
 * The ground that the other integration tests stand on: each real containerd starts, pulls from a real registry into its
 * own built-in store, by ctr and by CRI, and runs a container. A failure here is the machine's, not the plugin's.
 */
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ContainerdProcess, startContainerd } from '../support/containerd/containerd-process.ts';
import { shimSockets } from '../support/containerd/leftovers.ts';
import { CONTAINERD_VERSIONS, unavailable } from '../support/containerd/versions.ts';
import { type CriImageClient, imageClient } from '../support/cri/image-client.ts';
import { eventually } from '../support/debian/eventually.ts';
import { mountsBelow } from '../support/debian/mounts.ts';
import { processTree } from '../support/debian/processes.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import { busyboxImage } from '../support/docker-registry/busybox-image.ts';
import {
  type DockerRegistry,
  dockerRegistryUnavailable,
  startDockerRegistry,
} from '../support/docker-registry/docker-registry.ts';
import { pushImage } from '../support/docker-registry/push.ts';

const DEADLINE_MS = 60_000;
const CREDENTIALS = { username: 'reader', password: 'a-word only:they+know' };

for (const version of CONTAINERD_VERSIONS) {
  const reason = unavailable(version) ?? dockerRegistryUnavailable();
  if (reason !== undefined) process.stderr.write(`containerd ${version} is not tested: ${reason}\n`);
  const suite = reason === undefined ? describe : describe.skip;

  suite(`containerd ${version} with its built-in store`, () => {
    let registry: DockerRegistry;
    let node: ContainerdProcess;
    let images: CriImageClient;
    let reference: string;

    beforeAll(async () => {
      registry = await startDockerRegistry();
      node = await startContainerd({ version, cri: true });
      images = imageClient(node.socket);
      await pushImage(registry.target('library/hello'), await busyboxImage({ 'hello.txt': 'hello from the image\n' }));
      reference = `${registry.host}/library/hello:v1`;
    }, DEADLINE_MS);

    afterAll(async () => {
      images?.close();
      await node?.stop();
      await registry?.stop();
    }, DEADLINE_MS);

    it(
      'pull() by ctr fetches each blob once and the container prints what the image holds',
      async () => {
        await node.pull(reference);
        expect(
          await eventually(
            () => registry.blobGets(),
            (gets) => gets.length >= 2,
          ),
        ).toHaveLength(2);
        expect(await node.ctr(['content', 'ls', '-q'])).toMatch(/^(sha256:[0-9a-f]{64}\n){3}$/);
        expect(await node.runContainer(reference, ['cat', '/hello.txt'])).toBe('hello from the image\n');
      },
      DEADLINE_MS,
    );

    it(
      'pullImage() by CRI brings an image that is listed, found and removed',
      async () => {
        const id = await images.pullImage(reference);
        expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
        expect(await images.imageStatus(reference)).toMatchObject({ id, repoTags: [reference] });
        expect((await images.listImages()).map((image) => image.id)).toEqual([id]);
        expect(await node.runContainer(reference, ['echo', 'ran'], { namespace: 'k8s.io' })).toBe('ran\n');
        await images.removeImage(reference);
        expect(await images.imageStatus(reference)).toBeUndefined();
      },
      DEADLINE_MS,
    );

    it(
      'pullImage() by CRI says which image is not there',
      async () => {
        await expect(images.pullImage(`${registry.host}/library/absent:v1`)).rejects.toThrow(/not found/);
      },
      DEADLINE_MS,
    );

    it(
      'a private registry lets in whoever has its credentials, by ctr and by CRI',
      async () => {
        await using closed = await startDockerRegistry({ credentials: CREDENTIALS });
        await pushImage(closed.target('team/app'), await busyboxImage({ 'app.txt': 'private\n' }));
        const app = `${closed.host}/team/app:v1`;
        await expect(images.pullImage(app)).rejects.toThrow(/401|authorization failed|no basic auth/i);
        await expect(node.pull(app)).rejects.toThrow(/401|authorization failed|no basic auth/i);
        await images.pullImage(app, CREDENTIALS);
        await node.pull(app, { credentials: CREDENTIALS });
        expect(await node.runContainer(app, ['cat', '/app.txt'])).toBe('private\n');
      },
      DEADLINE_MS,
    );

    it(
      'restart() and kill() keep images; a paused registry comes back on its port',
      async () => {
        await node.pull(reference);
        await node.restart();
        expect(await node.runContainer(reference, ['echo', 'restarted'])).toBe('restarted\n');
        await node.kill();
        await node.start();
        await registry.pause();
        expect(await node.runContainer(reference, ['echo', 'killed'])).toBe('killed\n');
        await expect(node.pull(`${registry.host}/library/hello:other`)).rejects.toThrow(/connection refused/);
        await registry.resume();
        await node.pull(reference);
      },
      DEADLINE_MS,
    );

    it(
      'mirrors of hosts.toml and discarded layers are what CRI is told, and ctr too',
      async () => {
        await using hosts = await hostsDirectory('images.example', registry.url);
        const named = 'images.example/library/hello:v1';
        await using other = await startContainerd({
          ...{ version, cri: true, discardUnpackedLayers: true, registryConfigPath: hosts.path },
        });
        using client = imageClient(other.socket);
        await registry.clearRequests();
        await client.pullImage(named);
        expect(
          await eventually(
            () => registry.blobGets(),
            (gets) => gets.length >= 2,
          ),
        ).toHaveLength(2);
        expect((await registry.requests()).map((request) => request.path)).toContainEqual(
          expect.stringContaining('?ns=images.example'),
        );
        await other.pull(named, { hostsDirectory: hosts.path, plainHttp: false });
        expect(await other.runContainer(named, ['echo', 'mirrored'])).toBe('mirrored\n');
        // Discarding lets go of the layer; containerd's garbage collection takes it when it comes round.
        const listed = () => other.ctr(['content', 'ls', '-q'], { namespace: 'k8s.io' });
        await eventually(listed, (list) => contentCount(list) === 2);
      },
      DEADLINE_MS,
    );

    it(
      'stop() leaves no process, mount or file',
      async () => {
        await node.pull(reference);
        await using other = await startContainerd({ version });
        await other.pull(reference);
        await other.ctr([
          'run',
          '--detach',
          '--runc-root',
          `${other.directory}/runc`,
          reference,
          'sleeper',
          'sleep',
          '60',
        ]);
        const { directory, socket } = other;
        const belongs = (args: readonly string[]) => args.some((arg) => arg.startsWith(directory) || arg === socket);
        expect(await mountsBelow(directory)).not.toEqual([]);
        expect((await processTree(belongs)).length).toBeGreaterThanOrEqual(3);
        const sockets = await shimSockets(directory);
        expect(sockets).toHaveLength(1);
        for (const path of sockets) await access(path);
        await other.stop();
        expect(await mountsBelow(directory)).toEqual([]);
        expect(await processTree(belongs)).toEqual([]);
        for (const path of sockets) await expect(access(path)).rejects.toThrow(/ENOENT/);
        await expect(access(directory)).rejects.toThrow(/ENOENT/);
        expect(await node.runContainer(reference, ['echo', 'untouched'])).toBe('untouched\n');
      },
      DEADLINE_MS,
    );
  });
}

const proxyReason = unavailable('2.1') ?? dockerRegistryUnavailable();
(proxyReason === undefined ? describe : describe.skip)('containerd 2.1 with another content store', () => {
  it(
    'plugin takes the place of the built-in store',
    async () => {
      await using registry = await startDockerRegistry();
      await pushImage(registry.target('library/hello'), await busyboxImage({ 'hello.txt': 'kept elsewhere\n' }));
      // A second containerd's content service is the plugin: it speaks the same RPCs.
      await using store = await startContainerd({ version: '2.1' });
      const plugin = { address: store.socket };
      await using node = await startContainerd({ version: '2.1', plugin, contentSharing: 'isolated' });
      const reference = `${registry.host}/library/hello:v1`;
      await node.pull(reference);
      expect(await node.runContainer(reference, ['cat', '/hello.txt'])).toBe('kept elsewhere\n');
      expect(contentCount(await store.ctr(['content', 'ls', '-q']))).toBe(3);
      await expect(access(join(node.contentDirectory, 'blobs'))).rejects.toThrow(/ENOENT/);
    },
    DEADLINE_MS,
  );
});

function contentCount(list: string): number {
  return list.split('\n').filter((line) => line !== '').length;
}

/** A hosts.toml directory that sends what is asked of `host` to `url`. */
async function hostsDirectory(host: string, url: string): Promise<AsyncDisposable & { path: string }> {
  const path = await makeTestDirectory('shoal-hosts-');
  await mkdir(join(path, host));
  const text = `server = "${url}"\n[host."${url}"]\ncapabilities = ["pull", "resolve"]\n`;
  await writeFile(join(path, host, 'hosts.toml'), text);
  return { path, [Symbol.asyncDispose]: () => removeTestDirectory(path) };
}
