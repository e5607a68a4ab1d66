import { describe, expect, it } from '@jest/globals';
import { result } from '../../test/support/warm/seed-fixtures.ts';
import { makePlan } from '../plan/make-plan.ts';
import { image, input, node, OPTIONS, workload } from '../plan/plan-fixtures.ts';
import { Outcomes } from '../seed/outcomes.ts';
import { runJsonChunks } from './run-json.ts';
import { endOf, type RunResult, totalsOf } from './run-result.ts';
import { runTable } from './run-table.ts';

const web = image('web');
const gone = { reference: 'registry.example/gone:1', digest: undefined, indexes: [], variants: [] };
const app = workload('app', [web, image('gone')]);

function run(): RunResult {
  const nodes = [node('a'), node('b'), node('c'), node('full', { freeBytes: 1 })];
  const plan = makePlan(input({ images: [web, gone], workloads: [app], nodes }), OPTIONS);
  const outcomes = new Outcomes();
  outcomes.take(result('a', web.reference, { state: 'present', bytes_fetched: 0 }));
  outcomes.take(result('b', web.reference));
  const broken = { state: 'failed', code: 'UNAVAILABLE', reason: 'No answer', retriable: true } as const;
  outcomes.take(result('c', web.reference, { ...broken, bytes_fetched: 7, failed_digest: 'sha256:1' }));
  const failure = {
    reference: gone.reference,
    uses: [],
    code: 'NOT_FOUND',
    reason: 'Not there',
    isRetriable: false,
  } as const;
  return {
    ...{ atMs: OPTIONS.nowMs, elapsedMs: 1500, plan, images: new Map(), failed: [failure], outcomes },
    notTried: undefined,
    isElsewhere: false,
  };
}

describe('runJsonChunks()', () => {
  it('is one document with a row for each image on each node', () => {
    const json = JSON.parse([...runJsonChunks(run())].join(''));
    const rows = json.rows.filter((row: { image: string }) => row.image === web.reference);
    expect(rows).toMatchObject([
      { node: 'a', state: 'present', fetched: 0, verified: true },
      { node: 'b', state: 'fetched', fetched: 1030, verified: true },
      { node: 'c', state: 'failed', fetched: 7, failed: { digest: 'sha256:1', reason: 'No answer', retriable: true } },
      { node: 'full', state: 'skipped', skipped: 'No room on the node' },
    ]);
    expect(rows[2].used_by).toEqual([{ file: 'app.yaml', line: 9, document: 1 }]);
    expect(json).toMatchObject({
      result: 'part',
      totals: { rows: 8, present: 1, fetched: 1, skipped: 1, failed: 5, bytes_fetched: 1037, seconds: 1.5 },
    });
  });
});

describe('runTable()', () => {
  it('tells what is not warm with its place', () => {
    const text = runTable(run());
    expect(text).toContain('2 of 4');
    expect(text).toMatch(/^c +registry.example\/web:1 +app.yaml:9 +UNAVAILABLE: No answer \(sha256:1\)$/m);
    expect(text).toContain('1 present, 1 fetched, 1 skipped, 5 failed');
  });
});

describe('endOf()', () => {
  const totals = totalsOf(run());
  it.each([
    [{ verified: totals.rows }, 'done'],
    [{ verified: 1 }, 'part'],
    [{ verified: 0 }, 'failed'],
    [{ verified: 0, failed: 0 }, 'part'],
    [{ rows: 0, verified: 0, failed: 0 }, 'done'],
  ])('of %j is %s', (more, end) => {
    expect(endOf({ ...totals, ...more })).toBe(end);
  });
});
