/** Killing and restarting node and containerd in the middle of pulls from a slow registry. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eventually } from '../support/debian/eventually.ts';
import { FakeRegistry } from '../support/fake-registry/fake-registry.ts';
import { heldByContainerd, unfinished, wrongBlobs } from '../support/node/content-directory.ts';
import { contentOf, layeredImage } from '../support/node/layered-image.ts';
import { type Pair, startPair, told } from '../support/node/plugged-containerd.ts';
import { describeVersions } from '../support/node/versions-with-registry.ts';

const DEADLINE_MS = 120_000;
const MIB = 1024 * 1024;

/** What happens in the middle, and how it ends. */
const BLOWS: Readonly<Record<string, (pair: Pair) => Promise<void>>> = {
  'the node is killed': async ({ node }) => {
    await node.kill();
    await node.start();
  },
  'the node is restarted': ({ node }) => node.restart(),
  'containerd is killed': async ({ containerd }) => {
    await containerd.kill();
    await containerd.start();
  },
  'containerd is restarted': ({ containerd }) => containerd.restart(),
  'both are killed': async ({ node, containerd }) => {
    await Promise.all([node.kill(), containerd.kill()]);
    await node.start();
    await containerd.start();
  },
  'both are restarted': async ({ node, containerd }) => {
    await containerd.terminate();
    await node.restart();
    await containerd.start();
  },
};

describeVersions('shoal serve in the middle of a pull', (version) => {
  let registry: FakeRegistry;
  let pair: Pair;

  beforeAll(async () => {
    registry = await FakeRegistry.start();
    pair = await startPair({
      containerd: { version, cri: true },
      node: { registries: [registry], claimGiveUp: '10s' },
    });
  }, DEADLINE_MS);

  afterAll(async () => {
    await pair?.stop();
    await registry?.[Symbol.asyncDispose]();
  }, DEADLINE_MS);

  for (const [title, strike] of Object.entries(BLOWS)) {
    it(
      `${title}: the next pull succeeds, the container runs, and nothing wrong or unfinished stays`,
      told(
        () => pair,
        async () => {
          const { node, containerd } = pair;
          const image = await layeredImage(title, { layerCount: 3, layerSizeBytes: 2 * MIB });
          const name = `library/${title.replaceAll(' ', '-')}`;
          registry.put(name, image, 'v1');
          const reference = `${registry.host}/${name}:v1`;
          registry.faults = { bytesPerSecond: MIB };
          registry.log.clear();
          const interrupted = containerd.tryCtr(['images', 'pull', '--plain-http', reference], { deadlineMs: 60_000 });
          await eventually(
            async () => registry.log.blobBytes(),
            (bytes) => bytes > MIB,
          );
          await strike(pair);
          registry.faults = {};
          await interrupted;
          await eventually(
            () => containerd.tryCtr(['images', 'pull', '--plain-http', reference]),
            ({ exitCode }) => exitCode === 0,
            60_000,
          );
          expect(await containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe(`${title}\n`);
          expect(await heldByContainerd(node.contentRoot)).toEqual(expect.arrayContaining(contentOf(image)));
          expect(await wrongBlobs(node.contentRoot)).toEqual([]);
        },
      ),
      DEADLINE_MS,
    );
  }

  it(
    'what interrupted pulls left goes with containerd own garbage collection',
    told(
      () => pair,
      async () => {
        const { node, containerd } = pair;
        const image = await layeredImage('collected');
        registry.put('library/collected', image, 'v1');
        await containerd.pull(`${registry.host}/library/collected:v1`);
        await containerd.ctr(['images', 'rm', '--sync', `${registry.host}/library/collected:v1`]);
        await eventually(
          () => unfinished(node.contentRoot),
          (names) => names.length === 0,
        );
        expect(await node.rows('flights')).toEqual([]);
      },
    ),
    DEADLINE_MS,
  );
});
