/** Seeds before real containerds: a later pull asks the registry for no blob; with level `image` the image is there before anyone pulls. */
import { describe, expect, it } from '@jest/globals';
import type { SeedLine } from '../../proto/shoal/seed/v1/seed-line.ts';
import type { SeedRequest } from '../../proto/shoal/seed/v1/seed-request.ts';
import { type ContainerdVersion, unavailable } from '../support/containerd/versions.ts';
import { FakeRegistry } from '../support/fake-registry/fake-registry.ts';
import { type PairFleet, startFleet, toldByAll } from '../support/node/fleet.ts';
import { layeredImage } from '../support/node/layered-image.ts';
import { resultsOf } from '../support/seed/seed-fleet.ts';
import { seedImage, seedRequest } from '../support/seed/seed-image.ts';

const MIB = 2 ** 20;
const NODES = 3;
const DEADLINE_MS = 150_000;

const VERSIONS = (['2.1', '1.7', '1.6'] as const).filter((one) => unavailable(one) === undefined);
const reason = VERSIONS.length === 0 ? unavailable('2.1') : undefined;
if (reason !== undefined) process.stderr.write(`seeds before containerd are not tested: ${reason}\n`);

function versions(): ContainerdVersion[] {
  return Array.from({ length: NODES }, (_, at) => VERSIONS[at % VERSIONS.length] ?? '2.1');
}

async function seed(fleet: PairFleet, request: SeedRequest): Promise<SeedLine[]> {
  const answer = await fetch(`${fleet.pairs[0]?.node.adminUrl}/api/v1/seeds`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  const text = await answer.text();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

(reason === undefined ? describe : describe.skip)('a seed before containerd', () => {
  it(
    'leaves later pulls on all nodes without a blob request; level image needs no pull at all',
    async () => {
      await using registry = await FakeRegistry.start();
      await using fleet = await startFleet(versions(), { registries: [registry] });
      const names = fleet.pairs.map((_pair, at) => `node-${at + 1}`);
      await toldByAll(fleet, async () => {
        const warm = await layeredImage('warm', { layerCount: 2, layerSizeBytes: 4 * MIB });
        registry.put('team/warm', warm, 'v1');
        const content = seedImage(warm, registry.host, 'team/warm');
        const lines = await seed(fleet, seedRequest([content], names));
        expect(resultsOf(lines).map(({ state, reason: why }) => [state, why])).toEqual(
          names.map(() => ['fetched', null]),
        );
        registry.log.clear();
        for (const { images } of fleet.pairs) await images.pullImage(content.ref);
        expect(registry.log.of(/blobs/)).toEqual([]);

        const ready = await layeredImage('ready', { layerCount: 2, layerSizeBytes: 4 * MIB });
        registry.put('team/ready', ready, 'v1');
        const unpacked = seedImage(ready, registry.host, 'team/ready');
        const images = await seed(fleet, seedRequest([unpacked], names, { level: 'image' }));
        expect(resultsOf(images).map((result) => [result.state, result.unpacked, result.reason])).toEqual(
          names.map(() => ['fetched', true, null]),
        );
        for (const pair of fleet.pairs) expect(await pair.images.imageStatus(unpacked.ref)).toBeDefined();
        const again = await seed(fleet, seedRequest([unpacked], names, { level: 'image' }));
        expect(resultsOf(again).map((result) => [result.state, result.unpacked])).toEqual(
          names.map(() => ['present', true]),
        );
      });
    },
    DEADLINE_MS,
  );
});
