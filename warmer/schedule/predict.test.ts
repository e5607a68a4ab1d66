import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { SourceDocument } from '../sources/documents.ts';
import { findImages } from '../sources/find-images.ts';
import { textDocuments } from '../sources/text-documents.ts';
import { ANNOUNCERS } from './announce/announcers.ts';
import { predictEvents } from './predict.ts';

const NOW = Date.parse('2026-11-21T20:40:00Z');
const OPTIONS = { nowMs: NOW, horizonMs: 24 * 3_600_000 };

function document(value: unknown): SourceDocument {
  return { file: 'made.yaml', document: 1, value, lineOf: () => 1 };
}

function forecast(yaml: string, options: Partial<Parameters<typeof predictEvents>[1]> = {}) {
  const documents = [...textDocuments(yaml, 'a.yaml')].flatMap((item) =>
    item.kind === 'document' ? [item.document] : [],
  );
  const workloads = documents.flatMap((one) => findImages(one).workloads);
  return predictEvents({ documents, workloads }, { ...OPTIONS, ...options });
}

const times = (found: ReturnType<typeof forecast>) =>
  found.events.map(({ at }) => new Date(at).toISOString().slice(0, 16));

/** Keys and values that announcers look at, put together by chance. */
const KEYS = [
  'spec',
  'metadata',
  'triggers',
  'type',
  'start',
  'end',
  'timezone',
  'desiredReplicas',
  'schedule',
  'schedules',
  'jobs',
  'rules',
  'syncWindows',
  'kind',
  'duration',
  'suspend',
  'paused',
  'status',
  'wakeUpAt',
  'weekdays',
  'excludeDates',
  'annotations',
  'downscaler/uptime',
  'budgets',
  'disruption',
  'expireAfter',
  'replicas',
  'template',
  'scaleTargetRef',
];
const TEXTS = [
  'cron',
  '0 8 * * *',
  '@every 1ns',
  '@date 2026-01-01 00:00:00',
  'UTC',
  'Local',
  '',
  'allow',
  '1h',
  '-1h',
  '9:00',
  '1-5',
  '5',
];
const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(...TEXTS, null, true, 0, -1, 1e300, Number.NaN),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie('value'), { maxKeys: 4 }),
  ),
})).value;

describe('predictEvents()', () => {
  it('never throws, whatever a document says', () => {
    const rows = ANNOUNCERS.flatMap(({ groups, kinds }) => kinds.map((kind) => ({ kind, group: groups[0] ?? '' })));
    const made = fc.record({ row: fc.constantFrom(...rows), spec: plain, metadata: plain, status: plain });
    fc.assert(
      fc.property(made, ({ row, spec, metadata, status }) => {
        const apiVersion = `${row.group === '*' ? 'apps' : row.group}/v1`;
        const found = predictEvents(
          { documents: [document({ apiVersion, kind: row.kind, metadata, spec, status })], workloads: [] },
          OPTIONS,
        );
        expect(found.events.every(({ at }) => at >= NOW && at <= NOW + OPTIONS.horizonMs)).toBe(true);
      }),
      { numRuns: 500 },
    );
    expect(predictEvents({ documents: [null, 'text', [], 7].map(document), workloads: [] }, OPTIONS).events).toEqual(
      [],
    );
  });

  it('keeps many firings bounded', () => {
    const jobs = [{ name: 'often', schedule: '* * * * * *', targetSize: 2 }];
    const value = {
      apiVersion: 'autoscaling.alibabacloud.com/v1beta1',
      kind: 'CronHorizontalPodAutoscaler',
      metadata: { name: 'x' },
      spec: { jobs },
    };
    expect(predictEvents({ documents: [document(value)], workloads: [] }, OPTIONS).events).toHaveLength(1500);
  });

  it('takes the zones of controllers from its options', () => {
    const cronJob = 'apiVersion: batch/v1\nkind: CronJob\nmetadata: { name: a }\nspec: { schedule: 0 6 * * * }\n';
    expect(times(forecast(cronJob))).toEqual(['2026-11-22T06:00']);
    expect(times(forecast(cronJob, { clusterZone: 'Asia/Kolkata' }))).toEqual(['2026-11-22T00:30']);
    const hours =
      'apiVersion: v1\nkind: Namespace\nmetadata: { name: a, annotations: { downscaler/uptime: Sun-Sun 08:00-09:00 } }\n';
    expect(forecast(hours).unresolved).toHaveLength(1);
    expect(times(forecast(hours, { downscalerZone: 'Europe/Berlin' }))).toEqual(['2026-11-22T07:00']);
  });

  it('finds the target whose namespace is given only when applying', () => {
    const yaml = [
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec: { template: { spec: { containers: [{ name: a, image: web:1 }] } } }',
      'apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: { name: s, namespace: shop }\nspec:\n  scaleTargetRef: { name: web }\n  triggers: [{ type: cron, metadata: { timezone: UTC, start: 0 8 * * *, end: 0 9 * * *, desiredReplicas: "4" } }]',
    ];
    expect(forecast(yaml.join('\n---\n')).events[0]?.images).toEqual(['docker.io/library/web:1']);
  });

  it('announces no trigger that is active when its start comes round', () => {
    const trigger =
      '{ type: cron, metadata: { timezone: UTC, start: "0 8,20 * * *", end: 0 20 * * *, desiredReplicas: "4" } }';
    const yaml = `apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: { name: s }\nspec: { scaleTargetRef: { name: web }, triggers: [${trigger}] }`;
    expect(times(forecast(yaml))).toEqual(['2026-11-22T08:00']);
  });
});
