/** Pulls on several nodes, each with a real containerd: what one has, or is getting, another does not ask of the registry. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, afterAll, describe, expect, it } from '@jest/globals';
import type { GeneratedImage } from '../../cli/demo/generated-image.ts';
import { type ContainerdVersion, unavailable } from '../support/containerd/versions.ts';
import { eventually } from '../support/debian/eventually.ts';
import {
  type DockerRegistry,
  dockerRegistryUnavailable,
  startDockerRegistry,
} from '../support/docker-registry/docker-registry.ts';
import { pushImage } from '../support/docker-registry/push.ts';
import { openSlowDoor, type SlowDoor } from '../support/docker-registry/slow-door.ts';
import { wrongBlobs } from '../support/node/content-directory.ts';
import { type FleetNodes, type PairFleet, startFleet, toldByAll } from '../support/node/fleet.ts';
import { layeredImage, layersOf, pushable } from '../support/node/layered-image.ts';
import type { Pair } from '../support/node/pair.ts';

const DEADLINE_MS = 120_000;
const CREDENTIALS = { username: 'reader', password: 'only-the-kubelet-knows-71c4' };
const REPOSITORY = 'library/app';
const MIB = 1024 * 1024;
/** A layer takes some seconds through the door. */
const SLOW = 8 * MIB;
const FAST = 1024 * MIB;
const LAYER_BYTES = 20 * MIB;

const VERSIONS: ContainerdVersion[] = (['1.6', '1.7', '2.1'] as const).filter((one) => unavailable(one) === undefined);
const reason = dockerRegistryUnavailable() ?? (VERSIONS.length === 0 ? unavailable('2.1') : undefined);
if (reason !== undefined) process.stderr.write(`pulls in a fleet are not tested: ${reason}\n`);

/** As many as asked for, of the versions that are here in turn. */
function versions(count: number): ContainerdVersion[] {
  return Array.from({ length: count }, (_, at) => VERSIONS[VERSIONS.length - 1 - (at % VERSIONS.length)] ?? '2.1');
}

(reason === undefined ? describe : describe.skip)('a fleet', () => {
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

  async function offered(registry: DockerRegistry, tag: string): Promise<GeneratedImage> {
    const image = await layeredImage(tag, { layerCount: 2, layerSizeBytes: LAYER_BYTES });
    await pushImage(registry.target(REPOSITORY), pushable(image, tag));
    return image;
  }

  async function doors(registry: DockerRegistry, speeds: readonly number[]): Promise<SlowDoor[]> {
    const opened = await Promise.all(speeds.map((speed) => openSlowDoor(registry, speed)));
    running.push(...opened);
    return opened;
  }

  async function fleetOf(count: number, registries: FleetNodes['registries']): Promise<PairFleet> {
    const fleet = await startFleet(versions(count), { registries });
    running.push(fleet);
    return fleet;
  }

  const expectProven = async (pair: Pair, image: GeneratedImage) => {
    const held = (await pair.node.rows('blobs')).map(({ digest }) => digest);
    expect(held).toEqual(expect.arrayContaining(layersOf(image)));
    expect(await wrongBlobs(pair.node.contentRoot)).toEqual([]);
  };
  const blobRequests = (door: SlowDoor, image: GeneratedImage) =>
    door.requests.filter((line) => layersOf(image).some((digest) => line.includes(digest)));

  it(
    'a second node asks the registry for no layer, neither later nor while the first downloads',
    async () => {
      const [first, second] = await doors(open, [SLOW, FAST]);
      if (first === undefined || second === undefined) throw new Error('No doors');
      const fleet = await fleetOf(2, (index) => [index === 0 ? first : second]);
      await toldByAll(fleet, async () => {
        const [a, b] = fleet.pairs;
        if (a === undefined || b === undefined) throw new Error('No nodes');
        const early = await offered(open, 'early');
        await a.images.pullImage(`${first.host}/${REPOSITORY}:early`);
        await b.images.pullImage(`${second.host}/${REPOSITORY}:early`);
        expect(blobRequests(second, early)).toEqual([]);
        await expectProven(b, early);

        const late = await offered(open, 'late');
        const pulling = a.images.pullImage(`${first.host}/${REPOSITORY}:late`);
        await eventually(
          async () => first.blobBytes(),
          (bytes) => bytes > LAYER_BYTES * 2.5,
        );
        await b.images.pullImage(`${second.host}/${REPOSITORY}:late`);
        await pulling;
        expect(blobRequests(second, late)).toEqual([]);
        await expectProven(b, late);
      });
    },
    DEADLINE_MS,
  );

  it(
    'four nodes that ask at once for an image whose credentials only CRI has take two copies at most',
    async () => {
      const [door] = await doors(closed, [SLOW]);
      if (door === undefined) throw new Error('No door');
      const fleet = await fleetOf(4, [door]);
      await toldByAll(fleet, async () => {
        const image = await offered(closed, 'crowd');
        const reference = `${door.host}/${REPOSITORY}:crowd`;
        await Promise.all(fleet.pairs.map(({ images }) => images.pullImage(reference, CREDENTIALS)));
        for (const pair of fleet.pairs) await expectProven(pair, image);
        expectCopies(door, image, 2);
      });
    },
    DEADLINE_MS,
  );

  it(
    'the others of such a crowd get all of it when one that fetches it is killed half-way',
    async () => {
      const [door] = await doors(closed, [SLOW]);
      if (door === undefined) throw new Error('No door');
      const fleet = await fleetOf(4, [door]);
      await toldByAll(fleet, async () => {
        const image = await offered(closed, 'killed');
        const reference = `${door.host}/${REPOSITORY}:killed`;
        const pulls = fleet.pairs.map(({ images }) => images.pullImage(reference, CREDENTIALS));
        const outcomes = Promise.allSettled(pulls);
        await eventually(
          async () => door.blobBytes(),
          (bytes) => bytes > LAYER_BYTES,
        );
        const writer = await firstWriter(fleet);
        await Promise.all([fleet.pairs[writer]?.node.kill(), fleet.pairs[writer]?.containerd.kill()]);
        const ended = await outcomes;
        expect(ended.flatMap(({ status }, at) => (at === writer ? [] : [status]))).toEqual(Array(3).fill('fulfilled'));
        for (const [at, pair] of fleet.pairs.entries()) if (at !== writer) await expectProven(pair, image);
        expectCopies(door, image, 2);
      });
    },
    DEADLINE_MS,
  );

  function expectCopies(door: SlowDoor, image: GeneratedImage, most: number): void {
    const counts = layersOf(image).map(
      (digest) => door.requests.filter((line) => line.startsWith('GET ') && line.includes(digest)).length,
    );
    process.stderr.write(`    copies of each layer: ${counts.join(', ')}; ${door.blobBytes()} bytes of blobs\n`);
    expect(door.blobBytes()).toBeLessThan((most + 0.1) * 2 * LAYER_BYTES);
  }
});

/** The first node whose containerd fetches a layer itself: one that made fewer claims than there are layers. */
async function firstWriter(fleet: PairFleet): Promise<number> {
  for (let look = 0; look < 50; look += 1) {
    for (const [at, { node }] of fleet.pairs.entries()) {
      const claims = await node.rows('claims');
      if (claims.filter(({ size }) => size >= LAYER_BYTES).length < 2) return at;
    }
    await sleep(50);
  }
  throw new Error('No node fetches');
}
