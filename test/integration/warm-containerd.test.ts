/**
 * Three nodes, each with a real containerd, and a real registry: a Deployment with a KEDA cron trigger is warmed before the event, and
 * the kubelet's pulls afterwards ask the registry for no blob.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ContainerdVersion, unavailable } from '../support/containerd/versions.ts';
import {
  type DockerRegistry,
  dockerRegistryUnavailable,
  startDockerRegistry,
} from '../support/docker-registry/docker-registry.ts';
import { pushImage } from '../support/docker-registry/push.ts';
import { wrongBlobs } from '../support/node/content-directory.ts';
import { type PairFleet, startFleet, toldByAll } from '../support/node/fleet.ts';
import { layeredImage, pushable } from '../support/node/layered-image.ts';
import { deployment, setUpWarmer } from '../support/warm/warmer-setup.ts';

const DEADLINE_MS = 180_000;
const MIB = 2 ** 20;
const REPOSITORY = 'shop/web';
const LAYERS = { layerCount: 2, layerSizeBytes: 20 * MIB };
const NOW = '2026-11-21T07:40:00Z';

const VERSIONS: ContainerdVersion[] = (['2.1', '1.7', '1.6'] as const).filter((one) => unavailable(one) === undefined);
const reason = dockerRegistryUnavailable() ?? (VERSIONS.length === 0 ? unavailable('2.1') : undefined);
if (reason !== undefined) process.stderr.write(`warming nodes with containerd is not tested: ${reason}\n`);

(reason === undefined ? describe : describe.skip)('warming three nodes with containerd', () => {
  let registry: DockerRegistry;
  let fleet: PairFleet;

  beforeAll(async () => {
    registry = await startDockerRegistry();
    const versions = [0, 1, 2].map((at) => VERSIONS[at % VERSIONS.length] ?? '2.1');
    fleet = await startFleet(versions, { registries: [registry] });
  }, DEADLINE_MS);

  afterAll(async () => {
    await fleet?.stop();
    await registry?.stop();
  }, DEADLINE_MS);

  async function offered(tag: string): Promise<string> {
    const image = await layeredImage(tag, LAYERS);
    await pushImage(registry.target(REPOSITORY), pushable(image, tag));
    return `${registry.host}/${REPOSITORY}:${tag}`;
  }

  /** By every CRI at once, as a scale-out does. */
  async function pullOnAll(reference: string): Promise<number> {
    const startMs = performance.now();
    await Promise.all(fleet.pairs.map(({ images }) => images.pullImage(reference)));
    return (performance.now() - startMs) / 1000;
  }

  function setUp(target = '') {
    const admin = fleet.pairs[0]?.node.adminUrl.replace('http://', '') ?? '';
    return setUpWarmer({ admin, registries: [registry], target });
  }

  it(
    'makes later CRI pulls ask the registry for no blob',
    () =>
      toldByAll(fleet, async () => {
        await pullOnAll(await offered('first'));
        const coldSeconds = await pullOnAll(await offered('cold'));
        const reference = await offered('warm');
        await using warmer = await setUp();
        await warmer.write('web.yaml', deployment('web', reference, { scaler: true }));
        const plan = await warmer.json('plan', '--now', NOW);
        expect(plan.json.events[0]).toMatchObject({ at: '2026-11-21T08:00:00Z', images: [reference] });
        const run = await warmer.json('run', '--now', NOW);
        expect(run).toMatchObject({ code: 0, json: { totals: { rows: 3, fetched: 3, verified: 3 } } });
        expect((await warmer.warm('gate', '--image', reference, '--quorum', '90%')).code).toBe(0);

        await registry.clearRequests();
        const warmSeconds = await pullOnAll(reference);
        const requests = await registry.requests();
        expect(requests.filter(({ path }) => path.includes('/blobs/'))).toEqual([]);
        for (const { images, node } of fleet.pairs) {
          expect(await images.imageStatus(reference)).toBeDefined();
          expect(await wrongBlobs(node.contentRoot)).toEqual([]);
        }
        const seeded = run.json.totals;
        process.stderr.write(
          `    warmed in ${seeded.seconds} s, ${seeded.bytes_fetched} bytes; three CRI pulls at once: cold ${coldSeconds.toFixed(2)} s, warm ${warmSeconds.toFixed(2)} s; ${requests.length} requests, none for a blob\n`,
        );
        expect(warmSeconds).toBeLessThan(coldSeconds);
      }),
    DEADLINE_MS,
  );

  it(
    'has images unpacked with level = "image"',
    () =>
      toldByAll(fleet, async () => {
        const reference = await offered('unpacked');
        await using warmer = await setUp('level = "image"');
        await warmer.write('web.yaml', deployment('web', reference));
        const run = await warmer.json('run');
        expect(run.json.rows.map(({ unpacked }) => unpacked)).toEqual([true, true, true]);
        for (const { images } of fleet.pairs) expect(await images.imageStatus(reference)).toBeDefined();
        await registry.clearRequests();
        await pullOnAll(reference);
        expect((await registry.requests()).filter(({ path }) => path.includes('/blobs/'))).toEqual([]);
      }),
    DEADLINE_MS,
  );

  it(
    'reports a node that does not answer, and does not wait for it',
    () =>
      toldByAll(fleet, async () => {
        const reference = await offered('silent');
        await using warmer = await setUp();
        await warmer.write('web.yaml', deployment('web', reference));
        const pid = fleet.pairs[2]?.node.pid() ?? 0;
        process.kill(pid, 'SIGSTOP');
        try {
          const startMs = performance.now();
          const run = await warmer.json('run');
          const seconds = (performance.now() - startMs) / 1000;
          const rows = new Map(run.json.rows.map((row) => [row.node, row]));
          expect(rows.get('node-1')).toMatchObject({ verified: true });
          expect(rows.get('node-2')).toMatchObject({ verified: true });
          // Until the others take it for dead it is a target, and told; afterwards it is no member.
          if (rows.has('node-3'))
            expect(rows.get('node-3')).toMatchObject({ state: 'failed', failed: { retriable: true } });
          expect(run.code).toBe(rows.has('node-3') ? 3 : 0);
          process.stderr.write(`    a node stopped: the run ended after ${seconds.toFixed(1)} s with ${run.code}\n`);
          expect(seconds).toBeLessThan(60);
        } finally {
          process.kill(pid, 'SIGCONT');
        }
      }),
    DEADLINE_MS,
  );
});
