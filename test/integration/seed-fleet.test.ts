/** Images seeded to three nodes through one admin address: one copy from the registry, proven and pinned everywhere. */
import { expect, it } from '@jest/globals';
import { eventually } from '../support/debian/eventually.ts';
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

it('a member that comes while the pin lasts is caught up at once, from the others; one of another zone is left alone', async () => {
  await using registry = await FakeRegistry.start();
  const image = await testImage({ seed: 'newcomer', layerCount: 2, layerSizeBytes: MIB });
  registry.put('team/app', image, 'v1');
  const nodes = [{ name: 'node-a', zone: 'z1' }];
  await using fleet = await startSeedFleet({ registry, nodes });
  const [node] = fleet.nodes;
  const wanted = seedImage(image, registry.host, 'team/app');
  const request = seedRequest([wanted], ['node-a', 'node-named'], { newcomers: { zones: ['z1'] } });
  const results = resultsOf((await node?.seed(request)) ?? []);
  expect(results.map(({ state }) => state)).toEqual(['fetched', 'failed']);
  registry.log.clear();
  await fleet.add({ name: 'node-far', zone: 'z2' });
  await fleet.add({ name: 'node-named', zone: 'z2' });
  await fleet.add({ name: 'node-new', zone: 'z1' });
  const digests = [...wanted.manifests, ...wanted.blobs].map(({ digest }) => digest);
  const presentOn = async () => {
    const text = await (await node?.post('/api/v1/presence', { digests }))?.text();
    const rows = (text ?? '').split('\n').filter((line) => line.includes('"node"'));
    return Object.fromEntries(rows.map((line) => JSON.parse(line)).map((row) => [row.node, row.present]));
  };
  await eventually(presentOn, (on) => on['node-new'] === digests.length && on['node-named'] === digests.length);
  expect(await presentOn()).toMatchObject({ 'node-a': digests.length, 'node-far': 0 });
  expect(registry.log.of(/manifests/)).toEqual([]);
  // A starved machine may tell newcomers too late who has what; two of them alone would take two copies.
  process.stderr.write(`seed: newcomers took ${registry.log.blobBytes()} bytes from the registry\n`);
  expect(registry.log.blobBytes()).toBeLessThan(bytesOf(wanted));
  const [row] = (await node?.rows('/api/v1/seeds')) ?? [];
  expect(row).toMatchObject({ state: 'keeping', newcomers: 2, fetched: 1, failed: 1, images: [wanted.ref] });
  const gone = await fetch(`${node?.url}/api/v1/seeds/${row?.id}`, {
    method: 'DELETE',
    headers: { 'content-type': 'application/json' },
  });
  expect(gone.status).toBe(204);
  expect(await node?.rows('/api/v1/seeds')).toEqual([]);
}, 60_000);

it('whoever goes away cancels the seed on every node', async () => {
  await using registry = await FakeRegistry.start();
  const image = await testImage({ seed: 'cancel', layerCount: 1, layerSizeBytes: 8 * MIB });
  registry.put('team/app', image, 'v1');
  registry.faults.bytesPerSecond = MIB;
  await using fleet = await startSeedFleet({ registry });
  const wanted = seedImage(image, registry.host, 'team/app');
  const leave = new AbortController();
  const seeding = fleet.nodes[0]?.seed(seedRequest([wanted], NAMES), { signal: leave.signal });
  const flights = async () => (await Promise.all(fleet.nodes.map(({ rows }) => rows('/api/v1/flights')))).flat();
  await eventually(flights, (rows) => rows.length === NAMES.length);
  expect(await fleet.nodes[0]?.rows('/api/v1/seeds')).toMatchObject([{ state: 'running' }]);
  leave.abort();
  await expect(seeding).rejects.toThrow();
  await eventually(flights, (rows) => rows.length === 0);
  await eventually(
    async () => fleet.nodes[0]?.rows('/api/v1/seeds'),
    (rows) => rows?.length === 0,
  );
  registry.faults.bytesPerSecond = undefined;
  const results = resultsOf((await fleet.nodes[1]?.seed(seedRequest([wanted], NAMES))) ?? []);
  expect(results.map(({ state }) => state)).toEqual(NAMES.map(() => 'fetched'));
}, 60_000);

it('a lease is one for the whole fleet, whichever node is asked, and outlives the node that keeps it', async () => {
  await using registry = await FakeRegistry.start();
  await using fleet = await startSeedFleet({ registry });
  const ask = async (at: number, holder: string, action: string) => {
    const answer = await fleet.nodes[at]?.post('/api/v1/leases', { name: 'warmer', holder, action, seconds: 60 });
    return JSON.parse((await answer?.text()) ?? '{}');
  };
  const first = await ask(0, 'one', 'acquire');
  expect(first).toMatchObject({ held: true, holder: 'one', fencing: 1 });
  expect(await ask(1, 'two', 'acquire')).toMatchObject({ held: false, holder: 'one', fencing: 1 });
  expect(await ask(2, 'one', 'renew')).toMatchObject({ held: true, fencing: 1 });
  // Whoever of them keeps it: the others know.
  await fleet.nodes[2]?.stop();
  expect(await ask(0, 'two', 'acquire')).toMatchObject({ held: false, holder: 'one' });
  expect(await ask(1, 'one', 'release')).toMatchObject({ held: false, holder: null });
  expect(await ask(0, 'two', 'acquire')).toMatchObject({ held: true, holder: 'two' });
  expect(await ask(1, 'one', 'renew')).toMatchObject({ held: false, holder: 'two' });
}, 60_000);
