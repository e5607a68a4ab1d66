import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { parsePlan } from '../../plugin/admin/live/plan-board.ts';
import type { Plan } from '../plan/plan.ts';
import { Outcomes } from '../seed/outcomes.ts';
import { planPost, runPost } from './plan-post.ts';

const DIGEST = digestOf('a');
const IMAGE = { digest: undefined, platforms: [], bytes: 10, layers: [], usedBy: [], dueMs: undefined };
const image = (reference: string, nodeCount: number, missingNodeCount: number, refusedBy: string[] = []) => ({
  ...{ ...IMAGE, reference, nodeCount, missingNodeCount, refusedBy },
});
const PLAN: Plan = {
  ...{ atMs: 0, nodes: [], groups: [], unresolved: [] },
  images: [image('a:1', 4, 1, ['full']), image('b:1', 2, 2)],
  events: [
    {
      ...{ at: 60_000, startByMs: 30_000, kind: 'CronJob', name: 'n', namespace: undefined, replicas: undefined },
      ...{ schedule: undefined, timezone: undefined, images: ['a:1', 'gone:1'] },
    } as unknown as Plan['events'][number],
  ],
  totals: { images: 2, uniqueBytes: 0, bytesToMove: 0, upstreamBytes: 0 },
};

describe('planPost()', () => {
  it('is what the node takes', () => {
    const post = planPost({ warmer: 'w', plan: PLAN, run: null });
    expect(parsePlan(JSON.parse(JSON.stringify(post)))).toEqual(post);
    expect(post.events).toMatchObject([{ at: '1970-01-01T00:01:00.000Z', images: ['a:1'], replicas: null }]);
  });

  it('counts a node without room as wanted, and an image without a digest as warm nowhere', () => {
    const known: Plan = { ...PLAN, images: PLAN.images.map((one) => ({ ...one, digest: DIGEST })) };
    expect(planPost({ warmer: 'w', plan: known, run: null }).images).toMatchObject([
      { ref: 'a:1', nodes_wanted: 5, nodes_warm: 3 },
      { ref: 'b:1', nodes_wanted: 2, nodes_warm: 0 },
    ]);
    expect(planPost({ warmer: 'w', plan: PLAN, run: null }).images[0]).toMatchObject({ digest: null, nodes_warm: 0 });
  });

  it('is bounded, with the nearest events', () => {
    const events = Array.from({ length: 700 }, () => PLAN.events).flat();
    const images = Array.from({ length: 3_000 }, (_, at) => image(`i:${at}`, 1, 0));
    const post = planPost({ warmer: 'w'.repeat(900), plan: { ...PLAN, events, images }, run: null });
    expect([post.events.length, post.images.length, post.warmer.length]).toEqual([500, 2_000, 200]);
    expect(() => parsePlan(JSON.parse(JSON.stringify(post)))).not.toThrow();
  });

  it('tells a run that was not tried without taking warmth away', () => {
    const known: Plan = { ...PLAN, images: PLAN.images.map((one) => ({ ...one, digest: DIGEST })) };
    const result = {
      ...{ atMs: 0, elapsedMs: 5_000, plan: known, images: new Map(), failed: [] },
      ...{ outcomes: new Outcomes(), notTried: 'Paused', isElsewhere: false },
    };
    const post = planPost({ warmer: 'w', plan: known, result, run: runPost(result, 10_000) });
    expect(post.run).toMatchObject({
      started_at: '1970-01-01T00:00:05.000Z',
      ended_at: '1970-01-01T00:00:10.000Z',
      failed: 0,
    });
    expect(post.images[0]).toMatchObject({ nodes_warm: 3 });
  });
});
