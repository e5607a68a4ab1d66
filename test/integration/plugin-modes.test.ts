/** The node under other settings of containerd and of its own: discarded layers, isolated namespaces, no way to call containerd. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { GeneratedImage } from '../../cli/demo/generated-image.ts';
import { eventually } from '../support/debian/eventually.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry/docker-registry.ts';
import { pushImage } from '../support/docker-registry/push.ts';
import { heldByCache, heldByContainerd, unfinished, wrongBlobs } from '../support/node/content-directory.ts';
import { blobsOf, contentOf, layeredImage, layersOf, pushable } from '../support/node/layered-image.ts';
import { type PairOptions, withPair } from '../support/node/pair.ts';
import { describeVersions } from '../support/node/describe-versions.ts';

const DEADLINE_MS = 90_000;

describeVersions('shoal serve in other modes', (version) => {
  let registry: DockerRegistry;
  const scenario = (title: string, work: () => Promise<void>) => it(title, work, DEADLINE_MS);

  beforeAll(async () => {
    registry = await startDockerRegistry();
  }, DEADLINE_MS);

  afterAll(async () => {
    await registry?.stop();
  }, DEADLINE_MS);

  const offered = async (name: string, image: GeneratedImage) => {
    await pushImage(registry.target(name), pushable(image));
    await registry.clearRequests();
    return `${registry.host}/${name}:v1`;
  };

  scenario('layers that containerd discards after unpacking stay in the cache for the next pull', async () => {
    const options: PairOptions = {
      containerd: { version, cri: true, discardUnpackedLayers: true },
      node: { registries: [registry] },
    };
    await withPair(options, async (running) => {
      const { contentRoot } = running.node;
      const image = await layeredImage('discarded', { layerCount: 3 });
      const reference = await offered('library/discarded', image);
      await running.images.pullImage(reference);
      const layers = layersOf(image);
      await eventually(
        () => heldByContainerd(contentRoot),
        (held) => !held.some((digest) => layers.includes(digest)),
      );
      expect(await heldByCache(contentRoot)).toEqual(expect.arrayContaining(layers));
      await registry.clearRequests();
      await running.containerd.pull(reference);
      expect(await running.containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe('discarded\n');
      expect(await registry.blobGets()).toEqual([]);
      expect(await wrongBlobs(contentRoot)).toEqual([]);
    });
  });

  scenario('with isolated namespaces it is a plain store', async () => {
    const options: PairOptions = {
      containerd: { version, contentSharing: 'isolated' },
      node: { registries: [registry] },
    };
    await withPair(options, async (running) => {
      const { contentRoot } = running.node;
      const image = await layeredImage('isolated', { layerCount: 3 });
      const reference = await offered('library/isolated', image);
      await running.containerd.pull(reference);
      await running.containerd.pull(reference, { namespace: 'second' });
      for (const namespace of ['default', 'second']) {
        const hello = await running.containerd.runContainer(reference, ['cat', '/hello.txt'], { namespace });
        expect(hello).toBe('isolated\n');
      }
      expect(await running.node.metric('shoal_claims_total', { answer: 'fleet' })).toBe(0);
      expect(await heldByContainerd(contentRoot)).toEqual(contentOf(image));
      expect(await wrongBlobs(contentRoot)).toEqual([]);
      for (const namespace of ['default', 'second'])
        await running.containerd.ctr(['images', 'rm', '--sync', reference], { namespace });
      await eventually(
        () => heldByContainerd(contentRoot),
        (held) => held.length === 0,
      );
      expect(await unfinished(contentRoot)).toEqual([]);
    });
  });

  scenario('without containerd to call, only blobs on this disk are claimed', async () => {
    const options: PairOptions = {
      containerd: { version },
      node: { registries: [registry], callsContainerd: false },
    };
    await withPair(options, async (running) => {
      const image = await layeredImage('not called', { layerCount: 3 });
      const reference = await offered('library/not-called', image);
      await running.containerd.pull(reference);
      await eventually(
        () => registry.blobGets(),
        (gets) => gets.length >= blobsOf(image).length,
      );
      expect(await running.node.metric('shoal_claims_total', { answer: 'fleet' })).toBe(0);
      expect(await running.node.metric('shoal_upstream_requests_total')).toBe(0);
      await running.containerd.ctr(['images', 'rm', '--sync', reference]);
      await registry.clearRequests();
      await running.containerd.pull(reference);
      expect(await running.containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe('not called\n');
      expect(await registry.blobGets()).toEqual([]);
    });
  });
});
