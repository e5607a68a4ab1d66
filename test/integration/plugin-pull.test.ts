/** Pulling through the node: each real containerd with the node as its only content store, from a real registry. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { GeneratedImage } from '../../cli/demo/generated-image.ts';
import { eventually } from '../support/debian/eventually.ts';
import { busyboxImage } from '../support/docker-registry/busybox-image.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry/docker-registry.ts';
import { pushImage } from '../support/docker-registry/push.ts';
import { heldByCache, heldByContainerd, unfinished, wrongBlobs } from '../support/node/content-directory.ts';
import { blobsOf, contentOf, layeredImage, layersOf, pushable } from '../support/node/layered-image.ts';
import { type Pair, startPair, told } from '../support/node/pair.ts';
import { describeVersions } from '../support/node/describe-versions.ts';

const DEADLINE_MS = 90_000;
const CREDENTIALS = { username: 'reader', password: 'only-the-caller-knows-9f3a' };
const REPOSITORY = 'library/app';
const MIB = 1024 * 1024;
/** How long a stopped node stays away. */
const AWAY_MS = 2_000;
/** A claim that is given back is looked after for half a minute. */
const GIVING_BACK_MS = 60_000;

describeVersions('shoal serve', (version) => {
  let registry: DockerRegistry;
  let closed: DockerRegistry;
  let pair: Pair;
  const scenario = (title: string, work: () => Promise<void>) =>
    it(
      title,
      told(() => pair, work),
      DEADLINE_MS,
    );
  const claims = (answer: string) => pair.node.metric('shoal_claims_total', { answer });

  beforeAll(async () => {
    registry = await startDockerRegistry();
    closed = await startDockerRegistry({ credentials: CREDENTIALS });
    pair = await startPair({
      containerd: { version, cri: true, discardUnpackedLayers: false },
      node: { registries: [registry, closed] },
    });
    // A repository that has answered the node once is believed from then on; the first answer may come too late to count.
    await pair.containerd.pull(await offered('first', await layeredImage('first')));
    await eventually(
      () => pair.node.metric('shoal_upstream_requests_total', { status: '200' }),
      (requests) => requests > 0,
    );
  }, DEADLINE_MS);

  afterAll(async () => {
    await pair?.stop();
    await registry?.stop();
    await closed?.stop();
  }, DEADLINE_MS);

  /** Pushes it and forgets what the registry was asked until then. @returns its reference */
  const offered = async (tag: string, image: GeneratedImage) => {
    await pushImage(registry.target(REPOSITORY), pushable(image, tag));
    await registry.clearRequests();
    return `${registry.host}/${REPOSITORY}:${tag}`;
  };

  /** How often the registry gave out each of these. */
  const timesFetched = async (digests: readonly string[]) => {
    const paths = (await registry.blobGets()).map(({ path }) => path);
    return digests.map((digest) => paths.filter((path) => path.includes(digest)).length);
  };

  const expectEachOnce = async (digests: readonly string[]) => {
    const once = digests.map(() => 1);
    await eventually(
      () => timesFetched(digests),
      (times) => times.every((count) => count >= 1),
    );
    expect(await timesFetched(digests)).toEqual(once);
  };

  scenario('ctr pulls, each blob leaves the registry once, and the container prints what the image holds', async () => {
    const image = await layeredImage('by ctr', { layerCount: 2 });
    const reference = await offered('by-ctr', image);
    const before = await claims('fleet');
    await pair.containerd.pull(reference);
    expect(await pair.containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe('by ctr\n');
    await expectEachOnce(blobsOf(image));
    expect(await claims('fleet')).toBeGreaterThan(before);
    expect(await heldByContainerd(pair.node.contentRoot)).toEqual(expect.arrayContaining(contentOf(image)));
    expect(await wrongBlobs(pair.node.contentRoot)).toEqual([]);
    const listed = await pair.containerd.ctr(['content', 'ls', '-q']);
    expect(listed.split('\n')).toEqual(expect.arrayContaining(contentOf(image)));
  });

  scenario('CRI pulls, each blob leaves the registry once, and the container runs', async () => {
    const image = await layeredImage('by CRI', { layerCount: 2 });
    const reference = await offered('by-cri', image);
    const before = await claims('fleet');
    const id = await pair.images.pullImage(reference);
    expect(await pair.images.imageStatus(reference)).toMatchObject({ id, repoTags: [reference] });
    const hello = await pair.containerd.runContainer(reference, ['cat', '/hello.txt'], { namespace: 'k8s.io' });
    expect(hello).toBe('by CRI\n');
    await expectEachOnce(blobsOf(image));
    expect(await claims('fleet')).toBeGreaterThan(before);
    expect(await wrongBlobs(pair.node.contentRoot)).toEqual([]);
    await pair.images.removeImage(reference);
    await eventually(
      () => heldByContainerd(pair.node.contentRoot),
      (held) => !held.some((digest) => contentOf(image).includes(digest)),
    );
    await registry.clearRequests();
    expect(await pair.images.pullImage(reference)).toBe(id);
    expect(await registry.blobGets()).toEqual([]);
  });

  scenario('an index brings what this machine needs of it, by tag and by digest', async () => {
    const image = await layeredImage('index', { layerCount: 2, isIndex: true });
    const reference = await offered('index', image);
    const before = await claims('fleet');
    await pair.containerd.pull(reference);
    expect(await pair.containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe('index\n');
    await expectEachOnce(blobsOf(image));
    // ctr looks at the configs of all platforms; layers of others stay where they are.
    const elsewhere = image.images.slice(1).flatMap(({ layers }) => layers.map(({ digest }) => digest));
    expect(await timesFetched(elsewhere)).toEqual(elsewhere.map(() => 0));
    expect(await claims('fleet')).toBeGreaterThan(before);
    expect(await heldByContainerd(pair.node.contentRoot)).toEqual(expect.arrayContaining(contentOf(image)));
    const byDigest = `${registry.host}/${REPOSITORY}@${image.target.digest}`;
    await registry.clearRequests();
    await pair.images.pullImage(byDigest);
    expect(await pair.images.imageStatus(byDigest)).toMatchObject({ repoDigests: [byDigest] });
    expect(await registry.blobGets()).toEqual([]);
  });

  scenario('an exported image is imported again', async () => {
    const image = await layeredImage('exported', { layerCount: 2 });
    const reference = await offered('exported', image);
    const file = join(pair.node.directory, 'exported.tar');
    await pair.containerd.pull(reference);
    await pair.containerd.ctr(['images', 'export', file, reference]);
    await pair.containerd.ctr(['images', 'rm', '--sync', reference]);
    await pair.containerd.ctr(['images', 'import', file], { namespace: 'imported' });
    const hello = await pair.containerd.runContainer(reference, ['cat', '/hello.txt'], { namespace: 'imported' });
    expect(hello).toBe('exported\n');
    expect(await wrongBlobs(pair.node.contentRoot)).toEqual([]);
  });

  scenario('a large cold image arrives through claims while it is unpacked', async () => {
    const image = await layeredImage('large', { layerCount: 4, layerSizeBytes: 8 * MIB });
    const reference = await offered('large', image);
    const before = await claims('fleet');
    await pair.containerd.pull(reference);
    expect(await pair.containerd.runContainer(reference, ['ls', '/data'])).toBe(
      [0, 1, 2, 3].map((at) => `layer-${at}.bin\n`).join(''),
    );
    await expectEachOnce(blobsOf(image));
    expect(await claims('fleet')).toBeGreaterThanOrEqual(before + 3);
    expect(await pair.node.metric('shoal_reads_total', { source: 'flight' })).toBeGreaterThan(0);
    expect(await wrongBlobs(pair.node.contentRoot)).toEqual([]);
  });

  scenario(
    'after image removal the cache keeps what containerd gave up, and a second pull asks for no blob',
    async () => {
      const image = await layeredImage('removed', { layerCount: 3 });
      const reference = await offered('removed', image);
      const { contentRoot } = pair.node;
      await pair.containerd.pull(reference);
      await pair.containerd.ctr(['images', 'rm', '--sync', reference]);
      const content = contentOf(image);
      await eventually(
        () => heldByContainerd(contentRoot),
        (held) => !held.some((digest) => content.includes(digest)),
      );
      expect(await heldByCache(contentRoot)).toEqual(expect.arrayContaining(content));
      await registry.clearRequests();
      await pair.containerd.pull(reference);
      expect(await pair.containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe('removed\n');
      expect(await registry.blobGets()).toEqual([]);
      expect(await heldByContainerd(contentRoot)).toEqual(expect.arrayContaining(content));
    },
  );

  scenario('a second namespace takes every blob from this disk', async () => {
    const image = await layeredImage('two namespaces', { layerCount: 3 });
    const reference = await offered('two', image);
    await pair.containerd.pull(reference);
    await registry.clearRequests();
    await pair.containerd.pull(reference, { namespace: 'second' });
    const hello = await pair.containerd.runContainer(reference, ['cat', '/hello.txt'], { namespace: 'second' });
    expect(hello).toBe('two namespaces\n');
    expect(await registry.blobGets()).toEqual([]);
    // One namespace lets go; the other one still has it.
    await pair.containerd.ctr(['images', 'rm', '--sync', reference]);
    expect(await heldByContainerd(pair.node.contentRoot)).toEqual(expect.arrayContaining(contentOf(image)));
  });

  scenario('ten pulls at once of images that share layers bring each layer once', async () => {
    const made = Array.from({ length: 10 }, (_, at) =>
      layeredImage('shared', { layerCount: 3, layerSizeBytes: MIB, command: ['/bin/echo', `image ${at}`] }),
    );
    const images = await Promise.all(made);
    for (const [at, image] of images.entries()) await offered(`shared-${at}`, image);
    const references = images.map((_, at) => `${registry.host}/${REPOSITORY}:shared-${at}`);
    await Promise.all(references.map((reference) => pair.containerd.pull(reference)));
    const [first] = images;
    if (first === undefined) throw new Error('No image was made');
    await expectEachOnce(layersOf(first));
    expect(await pair.containerd.runContainer(references[9] ?? '')).toBe('image 9\n');
    expect(await wrongBlobs(pair.node.contentRoot)).toEqual([]);
  });

  for (const way of ['ctr', 'CRI'] as const) {
    scenario(
      `a private registry lets ${way} in with the credentials of the caller, and nothing is claimed`,
      async () => {
        const image = await busyboxImage({ 'app.txt': `private by ${way}\n` });
        const name = `team/by-${way.toLowerCase()}`;
        await pushImage(closed.target(name), image);
        const reference = `${closed.host}/${name}:v1`;
        const before = await claims('fleet');
        if (way === 'CRI') await pair.images.pullImage(reference, CREDENTIALS);
        else await pair.containerd.pull(reference, { credentials: CREDENTIALS });
        const namespace = way === 'CRI' ? 'k8s.io' : 'default';
        const app = await pair.containerd.runContainer(reference, ['cat', '/app.txt'], { namespace });
        expect(app).toBe(`private by ${way}\n`);
        expect(await claims('fleet')).toBe(before);
        const log = await pair.node.log();
        expect(log).not.toContain(CREDENTIALS.password);
        expect(log).not.toContain(Buffer.from(`${CREDENTIALS.username}:${CREDENTIALS.password}`).toString('base64'));
      },
    );
  }

  scenario('while the node is stopped pulls wait or fail clearly, and they work when it is back', async () => {
    const image = await layeredImage('while away');
    const reference = await offered('away', image);
    const pull = () => pair.containerd.tryCtr(['images', 'pull', '--plain-http', reference]);
    await pair.node.terminate();
    const started = pull();
    await sleep(AWAY_MS);
    await pair.node.start();
    const { exitCode, stderr } = await started;
    // containerd takes a store that is away for one whose ref is locked, and tries again for as long as it is asked to.
    if (exitCode !== 0) expect(stderr).toMatch(/unavailable|connection (error|refused)|no such file|dial unix/i);
    await eventually(pull, (result) => result.exitCode === 0);
    expect(await pair.containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe('while away\n');
  });

  scenario('nothing is left unfinished', async () => {
    await eventually(
      () => unfinished(pair.node.contentRoot),
      (names) => names.length === 0,
      GIVING_BACK_MS,
    );
    expect(await pair.node.rows('flights')).toEqual([]);
    expect(await pair.node.rows('claims')).toEqual([]);
  });
});
