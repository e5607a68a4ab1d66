/** The mirror in front of each real containerd, by hosts.toml: its own content store, CRI, both doors at once, and failing open. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { GeneratedImage } from '../../cli/demo/generated-image.ts';
import { type ContainerdProcess, startContainerd } from '../support/containerd/containerd-process.ts';
import { writeHostsToml } from '../support/containerd/hosts-toml.ts';
import { type CriImageClient, imageClient } from '../support/cri/image-client.ts';
import { eventually } from '../support/debian/eventually.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry/docker-registry.ts';
import { pushImage } from '../support/docker-registry/push.ts';
import { describeVersions } from '../support/node/describe-versions.ts';
import { blobsOf, contentOf, layeredImage, pushable } from '../support/node/layered-image.ts';
import { type NodeProcess, startNode } from '../support/node/node-process.ts';
import { told, withPair } from '../support/node/pair.ts';

const DEADLINE_MS = 120_000;
const CREDENTIALS = { username: 'reader', password: 'only-the-caller-knows-77c1' };
const REPOSITORY = 'library/app';

describeVersions('The mirror', (version) => {
  let registry: DockerRegistry;
  let closed: DockerRegistry;
  let directory = '';
  let node: NodeProcess;
  let containerd: ContainerdProcess;
  let images: CriImageClient;
  let hostsDirectory = '';
  const scenario = (title: string, work: () => Promise<void>) =>
    it(
      title,
      told(() => ({ node, containerd }), work),
      DEADLINE_MS,
    );

  beforeAll(async () => {
    registry = await startDockerRegistry();
    closed = await startDockerRegistry({ credentials: CREDENTIALS });
    directory = await makeTestDirectory('shoal-mirror-');
    node = await startNode({ directory: join(directory, 'n'), registries: [registry, closed], mirror: true });
    hostsDirectory = await writeHostsToml(join(directory, 'hosts'), node.mirror);
    containerd = await startContainerd({
      ...{ directory: join(directory, 'c'), version, cri: true },
      registryConfigPath: hostsDirectory,
    });
    images = imageClient(containerd.socket);
  }, DEADLINE_MS);

  afterAll(async () => {
    images?.close();
    await containerd?.stop();
    await node?.stop();
    await registry?.stop();
    await closed?.stop();
    await removeTestDirectory(directory);
  }, DEADLINE_MS);

  /** Pushes it and forgets what the registry was asked until then. @returns its reference */
  const offered = async (tag: string, image: GeneratedImage, at = registry) => {
    await pushImage(at.target(REPOSITORY), pushable(image, tag));
    await at.clearRequests();
    return `${at.host}/${REPOSITORY}:${tag}`;
  };

  const expectEachOnce = async (digests: readonly string[]) => {
    const times = async () => {
      const paths = (await registry.blobGets()).map(({ path }) => path);
      return digests.map((digest) => paths.filter((path) => path.includes(digest)).length);
    };
    await eventually(times, (counts) => counts.every((count) => count >= 1));
    expect(await times()).toEqual(digests.map(() => 1));
  };

  /** Whatever left the registry left it once, whole: index, manifests, config, layers. (ctr 2.1 wants every platform's config.) */
  const expectNothingTwice = async (image: GeneratedImage) => {
    const sizes = new Map<string, number>();
    for (const [digest, bytes] of image.blobs) sizes.set(digest, bytes.length);
    for (const [digest, { bytes }] of image.manifests) sizes.set(digest, bytes.length);
    const gets = (await registry.requests()).filter(({ method }) => method === 'GET');
    const moved = gets.map(({ path, bytes }) => ({ digest: path.split('/').at(-1) ?? '', bytes }));
    expect(moved).toEqual(moved.map(({ digest }) => ({ digest, bytes: sizes.get(digest) })));
    expect(new Set(moved.map(({ digest }) => digest)).size).toBe(moved.length);
    expect(moved.map(({ digest }) => digest)).toEqual(expect.arrayContaining(contentOf(image)));
  };

  const blobsServed = () => node.metric('shoal_mirror_requests_total', { kind: 'blob', status: '200' });

  scenario('ctr pulls through it, each blob leaves the registry once, and a second pull none', async () => {
    const image = await layeredImage('mirrored', { layerCount: 3, isIndex: true });
    const reference = await offered('by-ctr', image);
    const before = await blobsServed();
    await containerd.pull(reference, { hostsDirectory });
    expect(await containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe('mirrored\n');
    await expectEachOnce(blobsOf(image));
    // containerd 2.1 asks for one of them twice, to see whether ranges work.
    expect(await blobsServed()).toBeGreaterThanOrEqual(before + blobsOf(image).length);
    await registry.clearRequests();
    await containerd.ctr(['images', 'rm', '--sync', reference]);
    await containerd.pull(reference, { hostsDirectory });
    expect(await registry.blobGets()).toEqual([]);
  });

  scenario('CRI pulls through it, and a tag that has moved is the new image at once', async () => {
    const first = await layeredImage('first of CRI', { layerCount: 2 });
    const reference = await offered('by-cri', first);
    const id = await images.pullImage(reference);
    await expectEachOnce(blobsOf(first));
    const second = await layeredImage('second of CRI', { layerCount: 2 });
    await offered('by-cri', second);
    expect(await images.pullImage(reference)).not.toBe(id);
    await expectEachOnce(blobsOf(second));
  });

  scenario(
    "a private image is refused to this node and pulled from its registry with the caller's credentials",
    async () => {
      const reference = await offered('private', await layeredImage('private'), closed);
      await containerd.pull(reference, { hostsDirectory, credentials: CREDENTIALS });
      expect(await containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe('private\n');
      expect(await node.log()).not.toContain(CREDENTIALS.password);
    },
  );

  scenario('the registry serves by itself while the node is away', async () => {
    const reference = await offered('alone', await layeredImage('alone'));
    await node.terminate();
    try {
      await containerd.pull(reference, { hostsDirectory });
      expect(await images.pullImage(reference)).toMatch(/^sha256:/);
    } finally {
      await node.start();
    }
  });

  scenario('an image that was pulled once is pulled again while its registry is down', async () => {
    const reference = await offered('down', await layeredImage('down'));
    await containerd.pull(reference, { hostsDirectory });
    await containerd.ctr(['images', 'rm', '--sync', reference]);
    // Known after a restart as well.
    await node.restart();
    await registry.pause();
    try {
      await containerd.pull(reference, { hostsDirectory });
      expect(await node.metric('shoal_mirror_stale_tags_total')).toBeGreaterThan(0);
    } finally {
      await registry.resume();
    }
  });

  it(
    'both doors at once move each byte once',
    async () => {
      const hosts = join(directory, 'hosts-of-pair');
      const options = {
        containerd: { version, cri: true, registryConfigPath: hosts },
        node: { registries: [registry], mirror: true },
      };
      await withPair(options, async (pair) => {
        await writeHostsToml(hosts, pair.node.mirror);
        const image = await layeredImage('both doors', { layerCount: 3, isIndex: true });
        const reference = await offered('both', image);
        await pair.containerd.pull(reference, { hostsDirectory: hosts });
        expect(await pair.containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe('both doors\n');
        await expectEachOnce(blobsOf(image));
        await expectNothingTwice(image);
        expect(await pair.node.metric('shoal_claims_total', { answer: 'fleet' })).toBeGreaterThan(0);
        const second = await layeredImage('both doors of CRI', { layerCount: 3, isIndex: true });
        await pair.images.pullImage(await offered('both-cri', second));
        await expectEachOnce(blobsOf(second));
        await expectNothingTwice(second);
        // Whoever comes later moves nothing at all, but asks for the tag.
        await registry.clearRequests();
        await pair.images.pullImage(`${registry.host}/${REPOSITORY}:both`);
        expect((await registry.requests()).filter(({ method }) => method !== 'HEAD')).toEqual([]);
      });
    },
    DEADLINE_MS,
  );
});
