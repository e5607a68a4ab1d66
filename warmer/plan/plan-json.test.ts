import { describe, expect, it } from '@jest/globals';
import { makePlan } from './make-plan.ts';
import { blobsFor, event, image, input, NOW, node, OPTIONS, workload } from './plan-fixtures.ts';
import { planJson, planJsonChunks } from './plan-json.ts';
import { planTable } from './plan-table.ts';

const web = image('web');
const target = workload('web', [web]);
const unresolved = [{ file: 'broken.yaml', line: 3, document: 2, value: '<tag>', reason: 'A placeholder' }];
const plan = makePlan(
  input({
    images: [web],
    workloads: [target],
    events: [event(target, NOW + 3_600_000)],
    nodes: [node('a', { zone: 'z1' }), node('b', { holds: new Set(blobsFor(web)) })],
    unresolved,
  }),
  OPTIONS,
);

describe('planJson()', () => {
  it('has the names that scripts read', () => {
    expect(planJson(plan)).toEqual({
      at: '2026-11-21T20:40:00Z',
      images: [
        {
          ref: 'registry.example/web:1',
          digest: web.digest,
          platforms: ['linux/amd64'],
          bytes: 103,
          layers: [{ digest: web.variants[0]?.layers[0]?.digest, size: 100 }],
          used_by: [
            {
              file: 'web.yaml',
              line: 9,
              document: 1,
              kind: 'Deployment',
              namespace: 'shop',
              name: 'web',
              path: 'spec.template.spec.containers[0].image',
            },
          ],
        },
      ],
      events: [
        {
          at: '2026-11-21T21:40:00Z',
          kind: 'ScaledObject',
          namespace: 'shop',
          name: 'web',
          replicas: 10,
          schedule: '0 8 * * *',
          timezone: 'UTC',
          images: ['registry.example/web:1'],
          start_by: '2026-11-21T21:25:00Z',
        },
      ],
      nodes: [
        { name: 'a', bytes_missing: 103, images: ['registry.example/web:1'] },
        { name: 'b', bytes_missing: 0, images: ['registry.example/web:1'] },
      ],
      unresolved: [{ file: 'broken.yaml', line: 3, value: '<tag>', reason: 'A placeholder' }],
      totals: { images: 1, unique_bytes: 103, bytes_to_move: 103, upstream_bytes: 0 },
    });
  });
});

describe('planJsonChunks()', () => {
  it('gives the same document in pieces, also when there is nothing', () => {
    expect(JSON.parse([...planJsonChunks(plan)].join(''))).toEqual(planJson(plan));
    const empty = makePlan(input({}), OPTIONS);
    expect(JSON.parse([...planJsonChunks(empty)].join(''))).toEqual(planJson(empty));
  });
});

describe('planTable()', () => {
  it('aligns its columns and says what to decide from', () => {
    const lines = planTable(plan).split('\n');
    const header = lines.findIndex((line) => line.startsWith('IMAGE'));
    expect(lines[header + 1]?.indexOf('linux/amd64')).toBe(lines[header]?.indexOf('PLATFORMS'));
    expect(lines[header + 1]).toContain('Deployment web web.yaml:9');
    expect(lines.join('\n')).toContain('2026-11-21 21:25');
    expect(lines).toContain('broken.yaml:3  <tag>  A placeholder');
    expect(lines.at(-2)).toBe('1 image: 103 B in all, 103 B to move, 0 B of it from registries');
  });

  it('counts what it leaves out, and prints no control characters', () => {
    const nodes = Array.from({ length: 60 }, (_, index) => node(`node-${index}\u001b[2J`));
    const text = planTable(makePlan(input({ images: [web], workloads: [target], nodes }), OPTIONS));
    expect(text).toContain('… and 20 more');
    expect(text).not.toContain('\u001b');
  });
});
