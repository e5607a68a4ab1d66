/** The warmer's commands on three nodes in one mesh: what they print, what moves, and what happens when something is wrong. */
import { expect, it } from '@jest/globals';
import { FakeRegistry } from '../support/fake-registry/fake-registry.ts';
import { startSeedFleet } from '../support/seed/seed-fleet.ts';
import { testImage } from '../support/test-image.ts';
import { deployment, setUpWarmer } from '../support/warm/warmer-setup.ts';

const MIB = 2 ** 20;
const NOW = '2026-11-21T07:40:00Z';
const DEADLINE_MS = 90_000;

function adminOf(node: { url: string } | undefined): string {
  return node?.url.replace('http://', '') ?? '';
}

it(
  'warms a Deployment before its KEDA event: one copy, proven on all; again, it does nothing',
  async () => {
    await using registry = await FakeRegistry.start();
    const image = await testImage({ seed: 'warm', layerCount: 2, layerSizeBytes: 20 * MIB });
    registry.put('shop/web', image, 'v1');
    const reference = `${registry.host}/shop/web:v1`;
    await using fleet = await startSeedFleet({ registry });
    await using warmer = await setUpWarmer({ admin: adminOf(fleet.nodes[0]), registries: [registry] });
    await warmer.write('web.yaml', deployment('web', reference, { scaler: true }));

    const plan = await warmer.json('plan', '--now', NOW);
    expect(plan).toMatchObject({ code: 0, stderr: '' });
    expect(plan.json.at).toBe(NOW);
    expect(plan.json.events[0]).toMatchObject({ at: '2026-11-21T08:00:00Z', kind: 'ScaledObject', replicas: 30 });
    expect(plan.json.events[0]?.start_by).toBe('2026-11-21T07:45:00Z');
    expect(plan.json.images).toMatchObject([{ ref: reference, digest: image.target.digest }]);
    expect(plan.json.images[0]?.used_by[0]).toMatchObject({
      line: 12,
      kind: 'Deployment',
      namespace: 'shop',
      name: 'web',
    });
    const { unique_bytes: bytes = 0 } = plan.json.totals;
    expect(plan.json.totals).toMatchObject({ images: 1, bytes_to_move: 3 * bytes, upstream_bytes: bytes });

    expect((await warmer.warm('gate', '--image', reference)).code).toBe(1);
    registry.log.clear();
    const run = await warmer.json('run', '--now', NOW);
    expect(run.json.rows).toMatchObject(
      ['node-a', 'node-b', 'node-c'].map((node) => ({ node, image: reference, state: 'fetched', verified: true })),
    );
    expect(run).toMatchObject({ code: 0, json: { totals: { rows: 3, fetched: 3, bytes_fetched: 3 * bytes } } });
    expect(run.stderr).toContain('wave 1 of 3');
    expect(registry.log.blobBytes()).toBeLessThan(1.2 * bytes);
    const pins = (await Promise.all(fleet.nodes.map(({ rows }) => rows('/api/v1/pins')))).flat();
    expect(pins).toHaveLength(3);
    // The event is in twenty minutes by the clock that was passed in, and the pin ends two hours later.
    for (const { until } of pins) expect(Date.parse(String(until)) - Date.now()).toBeGreaterThan(139 * 60_000);

    registry.log.clear();
    const again = await warmer.json('run', '--now', NOW);
    expect(again).toMatchObject({ code: 0, json: { totals: { present: 3, fetched: 0, bytes_fetched: 0 } } });
    // What the tag means, and that is all: manifests and configs of earlier runs are remembered.
    expect(registry.log.lines().filter((line) => !line.startsWith('HEAD '))).toEqual([]);
    const gate = await warmer.json('gate', '--quorum', '90%');
    expect(gate).toMatchObject({ code: 0, json: { is_warm: true, images: [{ warm: 3, nodes: 3, needed: 3 }] } });
    const after = await warmer.json('plan', '--now', NOW);
    // With a rate measured and nothing missing, only the margin is left.
    expect(after.json.events[0]?.start_by).toBe('2026-11-21T07:55:00Z');
  },
  DEADLINE_MS,
);
