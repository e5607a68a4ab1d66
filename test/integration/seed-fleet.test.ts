/** Images seeded to three nodes through one admin address: one copy from the registry, proven and pinned everywhere. */
import { expect, it } from '@jest/globals';
import { FakeRegistry } from '../support/fake-registry/fake-registry.ts';
import { resultsOf, startSeedFleet } from '../support/seed/seed-fleet.ts';
import { bytesOf, seedImage, seedRequest } from '../support/seed/seed-image.ts';
import { testImage } from '../support/test-image.ts';

const MIB = 2 ** 20;
const NAMES = ['node-a', 'node-b', 'node-c'];

it('a seed brings one copy to the fleet; the same seed again finds everything present and asks nobody', async () => {
  await using registry = await FakeRegistry.start();
  const image = await testImage({ seed: 'fleet', layerCount: 3, layerSizeBytes: 8 * MIB });
  registry.put('team/app', image, 'v1');
  await using fleet = await startSeedFleet({ registry });
  const [node] = fleet.nodes;
  const wanted = seedImage(image, registry.host, 'team/app');
  const lines = await node?.seed(seedRequest([wanted], NAMES));
  expect(lines?.[0]).toMatchObject({ kind: 'accepted', nodes: 3, images: 1 });
  const results = resultsOf(lines ?? []);
  expect(results.map((result) => result.node)).toEqual(NAMES);
  for (const result of results) {
    expect(result).toMatchObject({ state: 'fetched', reason: null, bytes_fetched: bytesOf(wanted) });
    expect(result.blobs_verified).toBe(result.blobs_total);
  }
  expect(lines?.at(-1)).toMatchObject({ kind: 'done', fetched: 3, failed: 0, bytes_fetched: 3 * bytesOf(wanted) });
  const blobs = wanted.blobs.reduce((sum, { size }) => sum + size, 0);
  process.stderr.write(`seed: ${(registry.log.blobBytes() / blobs).toFixed(2)} copies from the registry\n`);
  expect(registry.log.blobBytes()).toBeLessThan(1.2 * blobs);
  expect(registry.log.of(/manifests/).filter(({ method }) => method === 'GET')).toHaveLength(wanted.manifests.length);

  registry.log.clear();
  const again = resultsOf((await fleet.nodes[1]?.seed(seedRequest([wanted], NAMES))) ?? []);
  expect(again.map(({ state, bytes_fetched }) => [state, bytes_fetched])).toEqual(NAMES.map(() => ['present', 0]));
  expect(registry.log.lines()).toEqual([]);
}, 60_000);
