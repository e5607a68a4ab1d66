/** Seeds that do not go well everywhere: who failed is told with the reason, in time, and the rest goes on. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { eventually } from '../support/debian/eventually.ts';
import { FakeRegistry } from '../support/fake-registry/fake-registry.ts';
import { freePort } from '../support/debian/free-port.ts';
import { startNode } from '../support/node/node-process.ts';
import { resultsOf, startSeedFleet, THREE } from '../support/seed/seed-fleet.ts';
import { bytesOf, seedImage, seedRequest } from '../support/seed/seed-image.ts';
import { testImage } from '../support/test-image.ts';

const MIB = 2 ** 20;
const NAMES = ['node-a', 'node-b', 'node-c'];
const DEADLINE_MS = 90_000;

async function oneImage(seed: string, layerSizeBytes = MIB) {
  const registry = await FakeRegistry.start();
  const image = await testImage({ seed, layerCount: 2, layerSizeBytes });
  registry.put('team/app', image, 'v1');
  return { registry, wanted: seedImage(image, registry.host, 'team/app') };
}

/** A small disk of its own; undefined where nothing may be mounted. */
function mountDisk(size: string): { path: string; remove(): void } | undefined {
  const path = mkdtempSync(join(tmpdir(), 'shoal-seed-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]).status === 0;
  const remove = () => {
    spawnSync('umount', [path]);
    rmSync(path, { recursive: true, force: true });
  };
  if (mounted) return { path, remove };
  remove();
  return undefined;
}

it(
  'nodes that are away or paused are reported within their silence, and the others are done; who wakes up is caught up',
  async () => {
    const { registry, wanted } = await oneImage('silent');
    await using _registry = registry;
    await using fleet = await startSeedFleet({ registry, nodes: THREE.slice(0, 2) });
    const mesh = { name: 'node-p', port: await freePort(), joinPort: fleet.joinPort, keyFile: fleet.keyFile };
    await using paused = await startNode({ registries: [registry], mesh });
    await fleet.met(3);
    process.kill(paused.pid(), 'SIGSTOP');
    try {
      const targets = ['node-a', 'node-b', 'node-p', 'node-x'];
      const startedAt = performance.now();
      const lines = await fleet.nodes[0]?.seed(seedRequest([wanted], targets, { limits: { silence_seconds: 3 } }));
      expect(performance.now() - startedAt).toBeLessThan(15_000);
      const results = resultsOf(lines ?? []);
      expect(results.map(({ node, state }) => [node, state])).toEqual([
        ['node-a', 'fetched'],
        ['node-b', 'fetched'],
        ['node-p', 'failed'],
        ['node-x', 'failed'],
      ]);
      for (const failed of results.slice(2)) expect(failed).toMatchObject({ code: 'UNAVAILABLE', retriable: true });
      expect(results[3]?.reason).toMatch(/no live member/);
      expect(lines?.at(-1)).toMatchObject({ kind: 'done', fetched: 2, failed: 2 });
    } finally {
      process.kill(paused.pid(), 'SIGCONT');
    }
    const digests = [...wanted.manifests, ...wanted.blobs].map(({ digest }) => digest);
    await eventually(
      async () => {
        const answer = await fleet.nodes[1]?.post('/api/v1/presence', { digests, nodes: ['node-p'] });
        return answer?.text();
      },
      (text) => text?.includes(`"present":${digests.length}`) === true,
      60_000,
    );
  },
  DEADLINE_MS,
);

it(
  'a private image comes by its token to nodes without credentials, and no log has the token',
  async () => {
    const { registry, wanted } = await oneImage('private');
    await using _registry = registry;
    registry.faults.auth = { kind: 'bearer', users: { robot: 'pass' }, expiresInSeconds: 600 };
    await using fleet = await startSeedFleet({ registry });
    const [node] = fleet.nodes;
    const refused = resultsOf((await node?.seed(seedRequest([wanted], ['node-a']))) ?? []);
    expect(refused).toMatchObject([{ state: 'failed', code: 'UNAUTHENTICATED', retriable: false, blobs_verified: 0 }]);
    const value = await pullToken(registry);
    const token = { value, expires_at: new Date(Date.now() + 600_000).toISOString() };
    const results = resultsOf((await node?.seed(seedRequest([{ ...wanted, token }], NAMES))) ?? []);
    expect(results.map(({ state, reason }) => [state, reason])).toEqual(NAMES.map(() => ['fetched', null]));
    for (const { log } of fleet.nodes) expect(log()).not.toContain(value);
    const seeds = JSON.stringify(await node?.rows('/api/v1/seeds'));
    expect(seeds).toContain(wanted.ref);
    expect(seeds).not.toContain(value);
  },
  DEADLINE_MS,
);

async function pullToken(registry: FakeRegistry): Promise<string> {
  const authorization = `Basic ${Buffer.from('robot:pass').toString('base64')}`;
  const scope = 'repository:team/app:pull';
  const answer = await fetch(`${registry.url}/token?service=fake&scope=${scope}`, { headers: { authorization } });
  return JSON.parse(await answer.text()).token;
}

const probe = mountDisk('1m');
probe?.remove();
if (probe === undefined) process.stderr.write('seed: no full disk is tried, a tmpfs cannot be mounted here\n');

(probe === undefined ? it.skip : it)(
  'what does not fit on a disk is skipped with the reason, what fits is there, and the other nodes have all',
  async () => {
    const disk = mountDisk('12m');
    const root = disk?.path ?? '';
    try {
      await using registry = await FakeRegistry.start();
      const images = await Promise.all(
        [2, 16, 1].map(async (mib, at) => {
          const image = await testImage({ seed: `disk-${at}`, layerCount: 2, layerSizeBytes: mib * MIB });
          registry.put(`team/app-${at}`, image, 'v1');
          return seedImage(image, registry.host, `team/app-${at}`);
        }),
      );
      const nodes = [
        { name: 'node-a' },
        { name: 'node-b', root: join(root, 'content'), store: 'capacity = "100%"\nmin_free = "1MiB"' },
      ];
      await using fleet = await startSeedFleet({ registry, nodes });
      const results = resultsOf((await fleet.nodes[0]?.seed(seedRequest(images, ['node-a', 'node-b']))) ?? []);
      expect(results.map(({ node, state }) => `${node} ${state}`)).toEqual([
        ...['node-a fetched', 'node-a fetched', 'node-a fetched'],
        ...['node-b fetched', 'node-b skipped', 'node-b fetched'],
      ]);
      expect(results[4]?.reason).toMatch(/It lacks 32 MiB, and this disk has room for \d/);
    } finally {
      disk?.remove();
    }
  },
  DEADLINE_MS,
);

it(
  'a pin keeps blobs through eviction, and lets go when it ends',
  async () => {
    const { registry, wanted } = await oneImage('pinned', 4 * MIB);
    await using _registry = registry;
    const store = 'capacity = "6MiB"\nmin_free = "0B"';
    await using fleet = await startSeedFleet({ registry, nodes: [{ name: 'node-a', store }] });
    const [node] = fleet.nodes;
    const pin = { name: 'event/one', until: new Date(Date.now() + 14_000).toISOString() };
    const results = resultsOf((await node?.seed(seedRequest([wanted], ['node-a'], { pin }))) ?? []);
    expect(results).toMatchObject([{ state: 'fetched', pinned_until: pin.until }]);
    expect(await node?.rows('/api/v1/pins')).toMatchObject([
      { name: pin.name, until: pin.until, bytes: bytesOf(wanted) },
    ]);
    // More than the cache takes beside it: what only the cache holds goes, what is pinned stays.
    for (const seed of ['other-1', 'other-2']) {
      registry.put(seed, await testImage({ seed, layerCount: 1, layerSizeBytes: 5 * MIB }), 'v1');
      await (await node?.post('/api/v1/pull', { ref: `${registry.host}/${seed}:v1`, platform: 'linux/amd64' }))?.text();
    }
    const pinned = async () => ((await node?.rows('/api/v1/blobs')) ?? []).filter((row) => row.pinned_until !== null);
    expect(await pinned()).toHaveLength(wanted.manifests.length + wanted.blobs.length);
    await eventually(
      async () => node?.rows('/api/v1/pins'),
      (rows) => rows?.length === 0,
      30_000,
    );
    await eventually(pinned, (rows) => rows.length === 0, 15_000);
  },
  DEADLINE_MS,
);
