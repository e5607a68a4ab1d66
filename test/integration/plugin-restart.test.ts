/** Killing and restarting node and containerd in the middle of pulls from a slow registry. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { GeneratedImage } from '../../cli/demo/generated-image.ts';
import { eventually } from '../support/debian/eventually.ts';
import { FakeRegistry } from '../support/fake-registry/fake-registry.ts';
import { heldByContainerd, unfinished, wrongBlobs } from '../support/node/content-directory.ts';
import { contentOf, layeredImage } from '../support/node/layered-image.ts';
import { type Pair, startPair, told } from '../support/node/pair.ts';
import { CONTAINERD_VERSIONS } from '../support/containerd/versions.ts';
import { describeVersions } from '../support/node/describe-versions.ts';

const DEADLINE_MS = 120_000;
const MIB = 1024 * 1024;
const REPOSITORY = 'library/app';
/** containerd waits a little before it connects again, and a claim may have to be given back first. */
const MENDED_MS = 60_000;

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

/** The node brings the blobs by itself; or containerd does, and writes them through the node. */
const WAYS = {
  'blobs that the node brings': 'fleet',
  'blobs that containerd writes': 'local',
} as const;

describeVersions('shoal serve in the middle of a pull', (version) => {
  let registry: FakeRegistry;

  beforeAll(async () => {
    registry = await FakeRegistry.start();
  });

  afterAll(() => registry?.[Symbol.asyncDispose]());

  describe.each(Object.entries(WAYS))('of %s', (_, claim) => {
    let pair: Pair;
    const scenario = (title: string, work: () => Promise<void>) =>
      it(
        title,
        told(() => pair, work),
        DEADLINE_MS,
      );

    beforeAll(async () => {
      const node = { registries: [registry], claimGiveUp: '10s', claim };
      pair = await startPair({ containerd: { version, cri: true }, node });
    }, DEADLINE_MS);

    afterAll(() => pair?.stop(), DEADLINE_MS);

    const pull = (reference: string) => pair.containerd.tryCtr(['images', 'pull', '--plain-http', reference]);

    // A kill is the harder end, so every version meets it; one shows that an orderly end is no worse. What a daemon is
    // asked to end well is the same to a writer that it loses.
    const isOrderlyToo = claim === 'fleet' && version === CONTAINERD_VERSIONS.at(-1);
    const blows = Object.entries(BLOWS).filter(([title]) => isOrderlyToo || title.includes('killed'));
    for (const [title, strike] of blows) {
      scenario(`${title}: the next pull succeeds, the container runs, and no blob is wrong`, async () => {
        const image = await layeredImage(`${title}, ${claim}`, { layerCount: 3, layerSizeBytes: 2 * MIB });
        registry.put(REPOSITORY, image, digestTag(image));
        const reference = `${registry.host}/${REPOSITORY}:${digestTag(image)}`;
        registry.faults = { bytesPerSecond: MIB };
        registry.log.clear();
        const interrupted = pull(reference);
        await eventually(
          async () => registry.log.blobBytes(),
          (bytes) => bytes > MIB,
        );
        await strike(pair);
        registry.faults = {};
        await interrupted;
        await eventually(
          () => pull(reference),
          ({ exitCode }) => exitCode === 0,
          MENDED_MS,
        );
        expect(await pair.containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe(`${title}, ${claim}\n`);
        const { contentRoot } = pair.node;
        expect(await heldByContainerd(contentRoot)).toEqual(expect.arrayContaining(contentOf(image)));
        expect(await wrongBlobs(contentRoot)).toEqual([]);
      });
    }

    scenario('what interrupted pulls left goes with the next garbage collection', async () => {
      const image = await layeredImage('collected');
      registry.put(REPOSITORY, image, 'collected');
      const reference = `${registry.host}/${REPOSITORY}:collected`;
      await pair.containerd.pull(reference);
      await pair.containerd.ctr(['images', 'rm', '--sync', reference]);
      await eventually(
        () => unfinished(pair.node.contentRoot),
        (names) => names.length === 0,
        MENDED_MS,
      );
      expect(await pair.node.rows('flights')).toEqual([]);
    });
  });
});

function digestTag(image: GeneratedImage): string {
  return image.target.digest.slice('sha256:'.length);
}
