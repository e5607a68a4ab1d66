/** Claims that cannot be met are given back, so that containerd fetches by itself. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { GeneratedImage } from '../../cli/demo/generated-image.ts';
import { eventually } from '../support/debian/eventually.ts';
import { FakeRegistry } from '../support/fake-registry/fake-registry.ts';
import { heldByContainerd, unfinished, wrongBlobs } from '../support/node/content-directory.ts';
import { contentOf, layeredImage, layersOf } from '../support/node/layered-image.ts';
import { type Pair, startPair, told } from '../support/node/pair.ts';
import { describeVersions } from '../support/node/describe-versions.ts';

const DEADLINE_MS = 90_000;
const MIB = 1024 * 1024;
/** A claim that is given back is looked after for half a minute. */
const GIVING_BACK_MS = 60_000;
const REPOSITORY = 'library/lost';

describeVersions('claims that are lost', (version) => {
  let registry: FakeRegistry;
  let pair: Pair;
  const scenario = (title: string, work: () => Promise<void>) =>
    it(
      title,
      told(() => pair, work),
      DEADLINE_MS,
    );
  const counted = async () => ({
    fleet: await pair.node.metric('shoal_claims_total', { answer: 'fleet' }),
    givenBack: await pair.node.metric('shoal_claims_given_back_total'),
  });

  beforeAll(async () => {
    registry = await FakeRegistry.start();
    pair = await startPair({ containerd: { version, cri: true }, node: { registries: [registry], claimGiveUp: '2s' } });
    // A repository that has answered this node before is believed to answer again.
    registry.put(REPOSITORY, await layeredImage('first'), 'first');
    await pair.containerd.pull(`${registry.host}/${REPOSITORY}:first`);
    await eventually(
      () => pair.node.metric('shoal_upstream_requests_total', { status: '200' }),
      (requests) => requests > 0,
    );
  }, DEADLINE_MS);

  afterAll(async () => {
    await pair?.stop();
    await registry?.[Symbol.asyncDispose]();
  }, DEADLINE_MS);

  const offered = (tag: string, image: GeneratedImage) => {
    registry.put(REPOSITORY, image, tag);
    registry.log.clear();
    return `${registry.host}/${REPOSITORY}:${tag}`;
  };

  /** containerd lists no layer of this image that is not whole here. */
  const expectForgotten = async (image: GeneratedImage) => {
    const missing = async () => {
      const held = await heldByContainerd(pair.node.contentRoot);
      const listed = await pair.containerd.ctr(['content', 'ls', '-q']);
      return layersOf(image).filter((digest) => listed.includes(digest) && !held.includes(digest));
    };
    await eventually(missing, (digests) => digests.length === 0);
  };

  /** The next pull is containerd's own: whole blobs, none of them claimed. */
  const expectOwnFetch = async (reference: string, image: GeneratedImage, text: string) => {
    const before = await counted();
    registry.log.clear();
    await pair.containerd.pull(reference);
    expect(await pair.containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe(`${text}\n`);
    expect((await counted()).fleet).toBe(before.fleet);
    expect(await heldByContainerd(pair.node.contentRoot)).toEqual(expect.arrayContaining(contentOf(image)));
    expect(await wrongBlobs(pair.node.contentRoot)).toEqual([]);
  };

  scenario('a registry that dies while it brings a claimed blob', async () => {
    const image = await layeredImage('dies', { layerCount: 1, layerSizeBytes: 2 * MIB });
    const reference = offered('dies', image);
    const before = await counted();
    registry.faults = { stallAfterBytes: MIB };
    const lost = pair.containerd.tryCtr(['images', 'pull', '--plain-http', reference], { deadlineMs: 60_000 });
    await eventually(
      () => pair.node.rows('flights'),
      (flights) => flights.some(({ bytes_present: bytes = 0 }) => bytes > 0),
    );
    await registry.down();
    expect((await lost).exitCode).toBeGreaterThan(0);
    await eventually(counted, ({ givenBack }) => givenBack > before.givenBack);
    await expectForgotten(image);
    await registry.up();
    registry.faults = {};
    await expectOwnFetch(reference, image, 'dies');
  });

  scenario('a registry that has lost a blob of a repository that it serves', async () => {
    const image = await layeredImage('lacks', { layerCount: 1 });
    const [layer = ''] = layersOf(image);
    const reference = offered('lacks', image);
    const before = await counted();
    registry.faults = { refuse: { status: 404, times: Number.POSITIVE_INFINITY, only: new RegExp(`/blobs/${layer}`) } };
    const lost = await pair.containerd.tryCtr(['images', 'pull', '--plain-http', reference], { deadlineMs: 60_000 });
    expect(lost.exitCode).toBeGreaterThan(0);
    await eventually(counted, ({ fleet, givenBack }) => fleet === before.fleet || givenBack > before.givenBack);
    await expectForgotten(image);
    registry.faults = {};
    await pair.containerd.pull(reference);
    expect(await pair.containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe('lacks\n');
  });

  scenario('a registry that sends wrong bytes', async () => {
    const image = await layeredImage('wrong', { layerCount: 1 });
    const reference = offered('wrong', image);
    registry.faults = { wrongBytes: true };
    const lost = await pair.containerd.tryCtr(['images', 'pull', '--plain-http', reference], { deadlineMs: 60_000 });
    expect(lost.exitCode).toBeGreaterThan(0);
    await expectForgotten(image);
    expect(await wrongBlobs(pair.node.contentRoot)).toEqual([]);
    registry.faults = {};
    await expectOwnFetch(reference, image, 'wrong');
  });

  scenario('a claim that was interrupted by a kill and cannot be met afterwards', async () => {
    const image = await layeredImage('killed', { layerCount: 1, layerSizeBytes: 2 * MIB });
    const reference = offered('killed', image);
    registry.faults = { stallAfterBytes: MIB };
    const lost = pair.containerd.tryCtr(['images', 'pull', '--plain-http', reference], { deadlineMs: 60_000 });
    await eventually(
      () => pair.node.rows('flights'),
      (flights) => flights.some(({ bytes_present: bytes = 0 }) => bytes > 0),
    );
    await pair.node.kill();
    await registry.down();
    await pair.node.start();
    await lost;
    await expectForgotten(image);
    await registry.up();
    registry.faults = {};
    // containerd waits a few seconds before it connects to a socket again that refused it.
    await eventually(
      () => pair.containerd.tryCtr(['images', 'pull', '--plain-http', reference]),
      ({ exitCode }) => exitCode === 0,
    );
    expect(await pair.containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe('killed\n');
    expect(await wrongBlobs(pair.node.contentRoot)).toEqual([]);
  });

  scenario('nothing is left unfinished', async () => {
    await eventually(
      () => unfinished(pair.node.contentRoot),
      (names) => names.length === 0,
      GIVING_BACK_MS,
    );
    expect(await pair.node.rows('claims')).toEqual([]);
    expect(await pair.node.rows('flights')).toEqual([]);
  });
});
