/** Our client of containerd's own socket against each real containerd: the calls that claims and give-backs stand on. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Digest, digestOf, parseDigest } from '../../core/oci/digest.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import type { Service } from '../../core/runtime/lifecycle.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import type { Containerd } from '../../plugin/containerd/containerd.ts';
import { createContainerd } from '../../plugin/containerd/grpc-containerd.ts';
import { type ContainerdProcess, startContainerd } from '../support/containerd/containerd-process.ts';
import { CONTAINERD_VERSIONS, unavailable } from '../support/containerd/versions.ts';
import { busyboxImage } from '../support/docker-registry/busybox-image.ts';
import {
  type DockerRegistry,
  dockerRegistryUnavailable,
  startDockerRegistry,
} from '../support/docker-registry/docker-registry.ts';
import { pushImage } from '../support/docker-registry/push.ts';

const DEADLINE_MS = 60_000;
const call = { signal: new AbortController().signal };

for (const version of CONTAINERD_VERSIONS) {
  const reason = unavailable(version) ?? dockerRegistryUnavailable();
  if (reason !== undefined) process.stderr.write(`Calls to containerd ${version} are not tested: ${reason}\n`);
  const suite = reason === undefined ? describe : describe.skip;

  suite(`createContainerd() with containerd ${version}`, () => {
    let registry: DockerRegistry;
    let node: ContainerdProcess;
    let containerd: Containerd & Service;
    let connects = 0;
    let reference: string;
    let manifest: Digest;
    let blobs: Digest[];

    beforeAll(async () => {
      registry = await startDockerRegistry();
      node = await startContainerd({ version });
      const image = await busyboxImage({ 'hello.txt': 'hello\n' });
      await pushImage(registry.target('library/hello'), image);
      manifest = digestOf(image.manifests[0]?.bytes ?? '');
      blobs = image.blobs.map((blob) => digestOf(blob));
      reference = `${registry.host}/library/hello:v1`;
      containerd = createContainerd({ socket: node.socket, clock: systemClock, log: silentLogger });
      containerd.onConnect(() => {
        connects += 1;
      });
      await containerd.start(call);
      await until(() => containerd.isReachable());
    }, DEADLINE_MS);

    afterAll(async () => {
      await containerd?.stop();
      await node?.stop();
      await registry?.stop();
    }, DEADLINE_MS);

    it(
      'namespaces(), images(), contents() and content() tell what a pull left, with the label of its source',
      async () => {
        await node.pull(reference);
        expect(await containerd.namespaces(call)).toContain('default');
        const images = await containerd.images('default', call);
        expect(images.map(({ name, target }) => [name, target.digest])).toEqual([[reference, manifest]]);
        const contents = await containerd.contents('default', call);
        expect(contents.map(({ digest }) => digest).toSorted()).toEqual([manifest, ...blobs].toSorted());
        const label = 'containerd.io/distribution.source.127.0.0.1';
        for (const { labels } of contents) expect(labels.get(label)).toBe('library/hello');
        const record = await containerd.content('default', manifest, call);
        expect(record).toEqual(contents.find(({ digest }) => digest === manifest));
      },
      DEADLINE_MS,
    );

    it('content() of an absent blob or namespace is undefined, and deleteContent() of one is no error', async () => {
      expect(await containerd.content('default', digestOf('absent'), call)).toBeUndefined();
      expect(await containerd.content('nowhere', manifest, call)).toBeUndefined();
      await containerd.deleteContent('default', digestOf('absent'), call);
      await containerd.deleteContent('nowhere', manifest, call);
      expect(await containerd.contents('nowhere', call)).toEqual([]);
    });

    it(
      'deleteContent() makes the next pull fetch the blob again',
      async () => {
        // The config: a layer that is unpacked already is fetched by no version again.
        const config = parseDigest(blobs[0] ?? '');
        await registry.clearRequests();
        await node.pull(reference);
        expect(await registry.blobGets(config)).toHaveLength(0);
        await containerd.deleteContent('default', config, call);
        expect(await containerd.content('default', config, call)).toBeUndefined();
        await collectGarbage(node, reference);
        await node.pull(reference);
        expect((await containerd.content('default', config, call))?.digest).toBe(config);
        expect(await registry.blobGets(config)).toHaveLength(1);
      },
      DEADLINE_MS,
    );

    it(
      'isReachable() follows a containerd that is killed and comes back, and onConnect() tells of it',
      async () => {
        const before = connects;
        await node.kill();
        await until(() => !containerd.isReachable());
        await expect(containerd.namespaces(call)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
        await node.start();
        await until(() => containerd.isReachable());
        expect(connects).toBe(before + 1);
        expect(await containerd.images('default', call)).toHaveLength(1);
      },
      DEADLINE_MS,
    );
  });
}

/** The built-in store keeps a deleted blob's bytes, and shares them, until then. */
async function collectGarbage(node: ContainerdProcess, reference: string): Promise<void> {
  await node.ctr(['images', 'tag', reference, 'example.com/second:name']);
  await node.ctr(['images', 'rm', '--sync', 'example.com/second:name']);
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000 && !condition(); turn += 1) await systemClock.sleep(20);
  expect(condition()).toBe(true);
}
