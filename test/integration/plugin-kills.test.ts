/** The node is killed again and again while images are pulled, run and removed: no image may stay broken, no blob be wrong. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { eventually } from '../support/debian/eventually.ts';
import { FakeRegistry } from '../support/fake-registry/fake-registry.ts';
import { seededRandom } from '../support/crash/journal.ts';
import { contentDigest } from '../support/node/content-of-containerd.ts';
import { unfinished, wrongBlobs } from '../support/node/content-directory.ts';
import { layeredImage } from '../support/node/layered-image.ts';
import { type Pair, withPair } from '../support/node/pair.ts';
import { describeVersions } from '../support/node/describe-versions.ts';

const DEADLINE_MS = 240_000;
const KILLS = 6;
/** A kill comes this long after the node is ready, at most: a pull takes about as long. */
const RUN_MS_MAX = 1_200;
const IMAGES = 4;
/** Slow enough that most kills meet a download. */
const BYTES_PER_SECOND = 2 * 1024 * 1024;
/** containerd waits a little before it connects again, and a claim may have to be given back first. */
const MENDED_MS = 60_000;

interface Offered {
  reference: string;
  text: string;
}

describeVersions('kills at random moments', (version) => {
  it(
    `after ${KILLS} kills every image is pulled and runs`,
    async () => {
      const seed = Number(process.env.SHOAL_KILLS_SEED ?? Math.floor(Math.random() * 2 ** 31));
      process.stderr.write(`kills with containerd ${version}: SHOAL_KILLS_SEED=${seed}\n`);
      await using registry = await FakeRegistry.start();
      const offered: Offered[] = [];
      for (let at = 0; at < IMAGES; at += 1) {
        const text = `image ${at} of ${seed}`;
        registry.put(
          `library/image-${at}`,
          await layeredImage(text, { layerCount: 4, layerSizeBytes: 512 * 1024 }),
          'v1',
        );
        offered.push({ reference: `${registry.host}/library/image-${at}:v1`, text });
      }
      const options = { containerd: { version }, node: { registries: [registry], claimGiveUp: '10s' } };
      await withPair(options, async (pair) => {
        registry.faults = { bytesPerSecond: BYTES_PER_SECOND };
        const trouble = new AbortController();
        const users = offered.map((image, at) =>
          use(pair, image, { random: seededRandom(seed + at), signal: trouble.signal }),
        );
        const random = seededRandom(seed - 1);
        for (let kill = 1; kill <= KILLS; kill += 1) {
          await sleep(random() * RUN_MS_MAX);
          await pair.node.kill();
          await pair.node.start();
        }
        trouble.abort();
        await Promise.all(users);
        registry.faults = {};
        await expectEverything(pair, offered);
      });
    },
    DEADLINE_MS,
  );
});

/** Pulls and removes one image over and over; failures are what this is about. */
async function use(pair: Pair, image: Offered, how: { random: () => number; signal: AbortSignal }): Promise<void> {
  while (!how.signal.aborted) {
    const pulled = await pair.containerd.tryCtr(['images', 'pull', '--plain-http', image.reference]);
    await sleep(how.random() * 500);
    if (pulled.exitCode === 0 && how.random() < 0.5)
      await pair.containerd.tryCtr(['images', 'rm', '--sync', image.reference]);
  }
}

async function expectEverything({ node, containerd }: Pair, offered: readonly Offered[]): Promise<void> {
  for (const { reference, text } of offered) {
    await eventually(
      () => containerd.tryCtr(['images', 'pull', '--plain-http', reference]),
      ({ exitCode }) => exitCode === 0,
      MENDED_MS,
    );
    expect(await containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe(`${text}\n`);
  }
  const listed = (await containerd.ctr(['content', 'ls', '-q'])).split('\n').filter(Boolean);
  for (const digest of listed) expect(await contentDigest(containerd, digest, 'default')).toBe(digest);
  expect(await wrongBlobs(node.contentRoot)).toEqual([]);
  // A garbage collection takes what interrupted pulls left.
  const [first] = offered;
  await containerd.ctr(['images', 'rm', '--sync', first?.reference ?? '']);
  await eventually(
    () => unfinished(node.contentRoot),
    (names) => names.length === 0,
    MENDED_MS,
  );
}
