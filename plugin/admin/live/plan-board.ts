/** The warmer's plan as it was told last (`proto/shoal/plan/v1`): kept in memory, for the page. Decides nothing. */
import type {
  PlanAnswer,
  PlanPost,
  PlanPostEvent,
  PlanPostImage,
  PlanPostRun,
} from '../../../proto/shoal/plan/v1/plan-post.ts';
import { countOf, listOf, objectOf, textOf, timeOf, wrong } from '../json-reader.ts';

export const PLAN_BYTES_MAX = 2 * 1024 * 1024;
const EVENTS_MAX = 500;
const IMAGES_MAX = 2_000;
const EVENT_IMAGES_MAX = 100;
const NAME_CHARS_MAX = 253;

export class PlanBoard {
  #answer: PlanAnswer = { plan: null };
  #rev = 0;

  /** Another number whenever there is another plan. */
  get rev(): number {
    return this.#rev;
  }

  answer(): PlanAnswer {
    return this.#answer;
  }

  /** @throws CodedError INVALID_ARGUMENT naming what is wrong with it; the one before stays then */
  keep(body: unknown, receivedAtMs: number): void {
    const plan = parsePlan(body);
    this.#answer = { plan: { ...plan, received_at: new Date(receivedAtMs).toISOString() } };
    this.#rev += 1;
  }
}

/** @throws CodedError INVALID_ARGUMENT */
export function parsePlan(body: unknown): PlanPost {
  const plan = objectOf(body, 'plan', ['at', 'warmer', 'events', 'images', 'run']);
  return {
    at: isoOf(plan.at, 'at'),
    warmer: textOf(plan.warmer, 'warmer', 200),
    events: listOf(plan.events, 'events', EVENTS_MAX, parseEvent),
    images: listOf(plan.images, 'images', IMAGES_MAX, parseImage),
    run: orNull(plan.run, (run) => parseRun(run, 'run')),
  };
}

function parseEvent(value: unknown, path: string): PlanPostEvent {
  const known = ['at', 'start_by', 'kind', 'namespace', 'name', 'replicas', 'images'];
  const event = objectOf(value, path, known);
  return {
    at: isoOf(event.at, `${path}.at`),
    start_by: isoOf(event.start_by, `${path}.start_by`),
    kind: textOf(event.kind, `${path}.kind`, 100),
    namespace: orNull(event.namespace, (name) => textOf(name, `${path}.namespace`, NAME_CHARS_MAX)),
    name: textOf(event.name, `${path}.name`, NAME_CHARS_MAX),
    replicas: orNull(event.replicas, (count) => numberOf(count, `${path}.replicas`)),
    images: listOf(event.images, `${path}.images`, EVENT_IMAGES_MAX, (ref, at) => textOf(ref, at)),
  };
}

function parseImage(value: unknown, path: string): PlanPostImage {
  const image = objectOf(value, path, ['ref', 'digest', 'bytes', 'nodes_wanted', 'nodes_warm']);
  return {
    ref: textOf(image.ref, `${path}.ref`),
    digest: orNull(image.digest, (digest) => textOf(digest, `${path}.digest`, 200)),
    bytes: orNull(image.bytes, (bytes) => numberOf(bytes, `${path}.bytes`)),
    nodes_wanted: numberOf(image.nodes_wanted, `${path}.nodes_wanted`),
    nodes_warm: numberOf(image.nodes_warm, `${path}.nodes_warm`),
  };
}

function parseRun(value: unknown, path: string): PlanPostRun {
  const counts = ['present', 'fetched', 'skipped', 'failed', 'bytes_fetched'] as const;
  const run = objectOf(value, path, ['started_at', 'ended_at', ...counts]);
  const number = (name: (typeof counts)[number]) => numberOf(run[name], `${path}.${name}`);
  return {
    started_at: isoOf(run.started_at, `${path}.started_at`),
    ended_at: orNull(run.ended_at, (time) => isoOf(time, `${path}.ended_at`)),
    present: number('present'),
    fetched: number('fetched'),
    skipped: number('skipped'),
    failed: number('failed'),
    bytes_fetched: number('bytes_fetched'),
  };
}

function numberOf(value: unknown, path: string): number {
  const count = countOf(value, path, { min: 0, max: Number.MAX_SAFE_INTEGER, fallback: undefined });
  if (count === undefined) throw wrong(path, 'a whole number');
  return count;
}

/** With milliseconds, UTC. */
function isoOf(value: unknown, path: string): string {
  return new Date(timeOf(value, path)).toISOString();
}

function orNull<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === null || value === undefined ? null : read(value);
}
