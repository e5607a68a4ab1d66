/** Claims that `Info` had no time for: the registry is far away, and the Write that containerd opens is answered in its place. */
import { afterEach, beforeAll, afterAll, expect, it } from '@jest/globals';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry/docker-registry.ts';
import { pushImage } from '../support/docker-registry/push.ts';
import { openSlowDoor, type SlowDoor } from '../support/docker-registry/slow-door.ts';
import { heldByContainerd, unfinished, wrongBlobs } from '../support/node/content-directory.ts';
import { describeVersions } from '../support/node/describe-versions.ts';
import { blobsOf, contentOf, layeredImage, pushable } from '../support/node/layered-image.ts';
import { type Pair, startPair, told } from '../support/node/pair.ts';

const DEADLINE_MS = 90_000;
const CREDENTIALS = { username: 'reader', password: 'only-the-caller-knows-5d20' };
const REPOSITORY = 'library/app';
/** Longer than `Info` may take, shorter than a Write waits. */
const FAR_MS = 400;
/** Longer than a Write waits, too. */
const SILENT_MS = 4_500;
const FAST = 1024 * 1024 * 1024;

describeVersions('a registry far away', (version) => {
  let open: DockerRegistry;
  let closed: DockerRegistry;
  const running: { stop(): Promise<void> }[] = [];

  beforeAll(async () => {
    open = await startDockerRegistry();
    closed = await startDockerRegistry({ credentials: CREDENTIALS });
  }, DEADLINE_MS);

  afterEach(async () => {
    for (const one of running.splice(0).toReversed()) await one.stop();
  }, DEADLINE_MS);

  afterAll(async () => {
    await open?.stop();
    await closed?.stop();
  }, DEADLINE_MS);

  /** A fresh node: no repository has answered it before. */
  async function behind(registry: DockerRegistry, answerAfterMs: number): Promise<{ door: SlowDoor; pair: Pair }> {
    const door = await openSlowDoor(registry, FAST, { answerAfterMs });
    running.push(door);
    const containerd = { version, cri: true, discardUnpackedLayers: false };
    const pair = await startPair({ containerd, node: { registries: [door] } });
    running.push(pair);
    return { door, pair };
  }

  const pulled = async (registry: DockerRegistry, tag: string, answerAfterMs: number) => {
    const image = await layeredImage(`${version} ${tag}`, { layerCount: 2 });
    await pushImage(registry.target(REPOSITORY), pushable(image, tag));
    const { door, pair } = await behind(registry, answerAfterMs);
    const scenario = told(
      () => pair,
      async () => {
        await pair.images.pullImage(`${door.host}/${REPOSITORY}:${tag}`, CREDENTIALS);
      },
    );
    await scenario();
    const hello = await pair.containerd.runContainer(`${door.host}/${REPOSITORY}:${tag}`, ['cat', '/hello.txt'], {
      namespace: 'k8s.io',
    });
    expect(hello).toBe(`${version} ${tag}\n`);
    expect(await heldByContainerd(pair.node.contentRoot)).toEqual(expect.arrayContaining(contentOf(image)));
    expect(await wrongBlobs(pair.node.contentRoot)).toEqual([]);
    expect(await unfinished(pair.node.contentRoot)).toEqual([]);
    const gets = blobsOf(image).map(
      (digest) => door.requests.filter((line) => line.startsWith('GET ') && line.includes(digest)).length,
    );
    const claims = (answer: string) => pair.node.metric('shoal_claims_total', { answer });
    return { image, gets, claimed: await claims('fleet'), outOfTime: await claims('timeout') };
  };

  it(
    'the first pull of a repository is claimed when its Write begins, and each blob leaves the registry once',
    async () => {
      const { image, gets, claimed, outOfTime } = await pulled(open, 'far', FAR_MS);
      expect(gets).toEqual(blobsOf(image).map(() => 1));
      expect(outOfTime).toBeGreaterThan(0);
      expect(claimed).toBe(blobsOf(image).length);
    },
    DEADLINE_MS,
  );

  it(
    'containerd fetches what the late answer says that this node cannot read',
    async () => {
      const { image, gets, claimed, outOfTime } = await pulled(closed, 'closed', FAR_MS);
      expect(gets).toEqual(blobsOf(image).map(() => 1));
      expect(outOfTime).toBeGreaterThan(0);
      expect(claimed).toBe(0);
    },
    DEADLINE_MS,
  );

  it(
    'a pull ends well where the answer comes too late for the Write, too',
    async () => {
      const { image, gets, claimed, outOfTime } = await pulled(open, 'silent', SILENT_MS);
      expect(gets).toEqual(blobsOf(image).map(() => 1));
      expect(outOfTime).toBeGreaterThan(0);
      expect(claimed).toBeLessThan(blobsOf(image).length);
    },
    DEADLINE_MS,
  );
});
