/**
 * `npm run bench:warm`: what a plan for a large fleet costs, as JSON on stdout: seconds of each step, memory at its peak. The
 * input is made from a seed; its time is not counted, its memory is. V8's heap is kept small as `shoal warm` keeps it. Options: `--manifests N` (four objects each), `--nodes N`, `--mode`, `--seed N`.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { makePlan } from '../../../warmer/plan/make-plan.ts';
import type { TargetMode } from '../../../warmer/plan/plan-input.ts';
import { planJsonChunks } from '../../../warmer/plan/plan-json.ts';
import { wantedPlatforms } from '../../../warmer/plan/wanted-platforms.ts';
import { predictEvents } from '../../../warmer/schedule/predict.ts';
import type { SourceDocument } from '../../../warmer/sources/documents.ts';
import { findImages } from '../../../warmer/sources/find-images.ts';
import { textDocuments } from '../../../warmer/sources/text-documents.ts';
import type { Workload } from '../../../warmer/sources/workload.ts';
import { keepHeapSmall } from '../../../warmer/small-heap.ts';
import { images as imagesFor, manifests, nodes as makeNodes } from './generate.ts';

keepHeapSmall();

const MIB = 2 ** 20;
const NOW = Date.parse('2026-11-21T20:40:00Z');
const HOUR_MS = 3_600_000;

const { values } = parseArgs({
  options: {
    manifests: { type: 'string', default: '5000' },
    nodes: { type: 'string', default: '2000' },
    mode: { type: 'string', default: 'schedulable' },
    seed: { type: 'string', default: '1' },
  },
});
const seed = Number(values.seed);
const seconds: Record<string, number> = {};
const memory: Record<string, number> = {};

function timed<T>(step: string, work: () => T): T {
  const start = performance.now();
  const result = work();
  seconds[step] = Number(((performance.now() - start) / 1000).toFixed(3));
  memory[step] = Math.round(process.memoryUsage().rss / MIB);
  return result;
}

function targetMode(text: string): TargetMode {
  if (text === 'all' || text === 'schedulable' || text === 'copies') return text;
  throw new Error(`Mode "${text}" is not all, schedulable or copies`);
}

function read(texts: Iterable<string>): { documents: SourceDocument[]; workloads: Workload[] } {
  const documents: SourceDocument[] = [];
  const workloads: Workload[] = [];
  for (const text of texts) {
    for (const item of textDocuments(text, `manifest-${documents.length}.yaml`)) {
      if (item.kind !== 'document') throw new Error(item.unresolved.reason);
      documents.push(item.document);
      workloads.push(...findImages(item.document).workloads);
    }
  }
  return { documents, workloads };
}

const memoryAtStart = process.memoryUsage().rss;
const mode = targetMode(values.mode);
/** Documents are let go once events are known, as a run of the warmer does. */
function forecast() {
  const { documents, workloads } = timed('read', () => read(manifests(seed, Number(values.manifests))));
  const found = timed('predict', () =>
    predictEvents({ documents, workloads }, { nowMs: NOW, horizonMs: 24 * HOUR_MS }),
  );
  return { ...found, workloads, documentCount: documents.length };
}

const { events, unresolved, workloads, documentCount } = forecast();
const references = new Set(workloads.flatMap(({ images }) => images.map(({ reference }) => reference)));
const images = imagesFor(seed, references);
const nodes = makeNodes(seed, { count: Number(values.nodes), images });
timed('platforms', () => wantedPlatforms(references, { workloads, events, nodes, mode }));
const options = { nowMs: NOW, mode, copies: 3, marginMs: 300_000, defaultLeadMs: 600_000, bytesPerSecond: 500 * MIB };
const plan = timed('plan', () => makePlan({ images, workloads, events, nodes, unresolved }, options));
const jsonBytes = timed('json', () => {
  let length = 0;
  for (const chunk of planJsonChunks(plan)) length += chunk.length;
  return length;
});
const report = {
  cpus: cpus().length,
  node: process.version,
  seed,
  mode,
  input: { documents: documentCount, workloads: workloads.length, images: images.length, nodes: nodes.length },
  output: {
    events: plan.events.length,
    groups: plan.groups.length,
    unresolved: plan.unresolved.length,
    pairs: plan.nodes.reduce((sum, node) => sum + node.images.length, 0),
    jsonMiB: Number((jsonBytes / MIB).toFixed(1)),
    totals: plan.totals,
  },
  seconds,
  memoryMiB: {
    start: Math.round(memoryAtStart / MIB),
    ...memory,
    peak: Math.round(process.resourceUsage().maxRSS / 1024),
    heap: Math.round(process.memoryUsage().heapUsed / MIB),
  },
};
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
