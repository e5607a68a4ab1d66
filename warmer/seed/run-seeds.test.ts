import { describe, expect, it } from '@jest/globals';
import type { Clock } from '../../core/runtime/clock.ts';
import { silentView } from '../report/run-view.ts';
import { runSeeds, type SeedOptions } from './run-seeds.ts';
import { FakeFleet, resolved, result, waveTask } from '../../test/support/warm/seed-fixtures.ts';
import type { SeedTask } from './seed-tasks.ts';

const WEB = 'registry.example/web:1';
const NOW = Date.parse('2026-11-21T07:40:00Z');

/** Sleeps take no time, and the clock knows of them. */
function quickClock(): Clock & { slept: number[] } {
  let ms = 0;
  const slept: number[] = [];
  return {
    slept,
    now: () => NOW + ms,
    monotonicMs: () => ms,
    sleep: async (forMs) => {
      slept.push(forMs);
      ms += forMs;
    },
  };
}

async function seeded(fleet: FakeFleet, tasks: readonly SeedTask[], more: Partial<SeedOptions> = {}) {
  const clock = quickClock();
  const images = {
    pullToken: async () => ({ token: 'pull-web', expiresAtMs: NOW + 60_000 }),
    manifestBytes: () => Buffer.from('{}'),
  };
  const deps = { fleet, images, clock, random: () => 0.5, watcher: silentView };
  const outcomes = await runSeeds(tasks, deps, {
    level: 'content',
    parallelNodes: 50,
    parallelBlobs: 4,
    maxBytesPerNode: undefined,
    pinMs: 7_200_000,
    deadlineMs: 3_600_000,
    planNowMs: NOW,
    takesNewcomers: false,
    silent: new Set(),
    signal: new AbortController().signal,
    ...more,
  });
  return { outcomes, clock };
}

describe('runSeeds()', () => {
  it('sends a wave after the one before it, with pins, tokens and manifests', async () => {
    const fleet = new FakeFleet();
    const waves = [waveTask(0, ['a']), waveTask(1, ['b', 'c'], { after: 0, dueMs: NOW + 1_200_000 })];
    const { outcomes } = await seeded(fleet, waves);
    expect(fleet.requests.map(({ targets }) => targets)).toEqual([['a'], ['b', 'c']]);
    expect(fleet.requests[1]).toMatchObject({
      pin: { name: 'warm-20261121T100000Z', until: '2026-11-21T10:00:00Z' },
      level: 'content',
      limits: { parallel_nodes: 2, parallel_blobs: 4 },
      images: [{ ref: WEB, token: { value: 'pull-web' }, manifests: [{ data: 'e30=' }, { data: 'e30=' }] }],
    });
    expect(outcomes.get('c', WEB)).toMatchObject({ state: 'fetched', isVerified: true });
    expect(outcomes.bytesFetched).toBe(3090);
  });

  it('sends no token where others could read it', async () => {
    const fleet = new FakeFleet();
    fleet.takesTokens = false;
    await seeded(fleet, [waveTask(0, ['a'])]);
    expect(JSON.stringify(fleet.requests)).not.toContain('pull-web');
  });

  it('tries a first wave again before the second has nobody to get the bytes from', async () => {
    const fleet = new FakeFleet();
    fleet.answer = (node, ref, attempt) =>
      node === 'a' && attempt < 3
        ? result(node, ref, { state: 'failed', retriable: true, code: 'UNAVAILABLE' })
        : result(node, ref);
    const { outcomes, clock } = await seeded(fleet, [waveTask(0, ['a']), waveTask(1, ['b'], { after: 0 })]);
    expect(fleet.requests.map(({ targets }) => targets[0])).toEqual(['a', 'a', 'a', 'b']);
    expect(clock.slept).toEqual([1000, 2000]);
    expect(outcomes.get('a', WEB)?.state).toBe('fetched');
  });

  it('goes on with what nobody answered for when an answer is cut off, and tries it once more at the end', async () => {
    const fleet = new FakeFleet();
    fleet.answer = (node, ref, attempt) => (node === 'b' && attempt === 1 ? undefined : result(node, ref));
    const { outcomes } = await seeded(fleet, [waveTask(0, ['a', 'b', 'c'])]);
    expect(fleet.requests.map(({ targets }) => targets)).toEqual([
      ['a', 'b', 'c'],
      ['b', 'c'],
    ]);
    expect(['a', 'b', 'c'].map((node) => outcomes.get(node, WEB)?.state)).toEqual(['fetched', 'fetched', 'fetched']);
  });

  it('does not try again what cannot succeed, nor nodes that were silent before', async () => {
    const fleet = new FakeFleet();
    fleet.answer = (node, ref) =>
      result(node, ref, { state: 'failed', retriable: node === 'dead', code: 'NOT_FOUND', blobs_verified: 0 });
    const { outcomes } = await seeded(fleet, [waveTask(0, ['a', 'dead'])], { silent: new Set(['dead']) });
    expect(fleet.requests).toHaveLength(1);
    expect(outcomes.get('a', WEB)).toMatchObject({ state: 'failed', code: 'NOT_FOUND', isVerified: false });
  });

  it('ends at its deadline with every pair told', async () => {
    const fleet = new FakeFleet();
    fleet.answer = (node, ref) => result(node, ref, { state: 'failed', retriable: true, code: 'UNAVAILABLE' });
    const { outcomes } = await seeded(fleet, [waveTask(0, ['a']), waveTask(1, ['b'], { after: 0 })], {
      deadlineMs: 2_500,
    });
    expect(fleet.requests).toHaveLength(2);
    expect(outcomes.get('b', WEB)).toMatchObject({ state: 'failed', isRetriable: true });
    expect(outcomes.get('b', WEB)?.reason).toContain('target.deadline');
  });

  it('asks nodes of each platform for what they can run', async () => {
    const fleet = new FakeFleet();
    const { node } = await import('../plan/plan-fixtures.ts');
    const nodes = [node('x86'), node('arm', { arm: true })];
    await seeded(fleet, [waveTask(0, [], { nodes, images: [resolved('web')] })], { takesNewcomers: true });
    const layers = fleet.requests.map(({ images }) => images[0]?.blobs.at(-1)?.digest);
    expect(new Set(layers).size).toBe(2);
    expect(fleet.requests.map(({ newcomers }) => newcomers?.platforms)).toEqual([['linux/amd64'], ['linux/arm64']]);
  });

  it('stops when its signal is aborted', async () => {
    const fleet = new FakeFleet();
    const stop = new AbortController();
    fleet.answer = (node, ref) => {
      stop.abort(new Error('Enough'));
      return result(node, ref);
    };
    const seeding = seeded(fleet, [waveTask(0, ['a']), waveTask(1, ['b'], { after: 0 })], { signal: stop.signal });
    await expect(seeding).rejects.toThrow('Enough');
    expect(fleet.requests).toHaveLength(1);
  });
});
