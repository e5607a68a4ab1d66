/** The warmer's plan as it was told last (`proto/shoal/plan/v1`): kept in memory, for the page. Decides nothing. */
import { CodedError } from '../../../core/runtime/errors.ts';
import type {
  PlanAnswer,
  PlanPost,
  PlanPostEvent,
  PlanPostImage,
  PlanPostRun,
} from '../../../proto/shoal/plan/v1/plan-post.ts';
import { type Fields, listOf, numberOf, objectOf, orNull, textOf, timeOf } from './plan-fields.ts';

export const PLAN_BYTES_MAX = 2 * 1024 * 1024;
const EVENTS_MAX = 500;
const IMAGES_MAX = 2_000;
const EVENT_IMAGES_MAX = 100;

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
  keep(body: Fields, receivedAtMs: number): void {
    const plan = parsePlan(body);
    this.#answer = { plan: { ...plan, received_at: new Date(receivedAtMs).toISOString() } };
    this.#rev += 1;
  }
}

/** Only what is known is kept. @throws CodedError INVALID_ARGUMENT */
export function parsePlan(body: Fields): PlanPost {
  return {
    at: timeOf(body, 'at'),
    warmer: textOf(body, 'warmer', 200),
    events: listOf(body, 'events', EVENTS_MAX).map((item, at) => parseEvent(objectOf(item, `events[${at}]`))),
    images: listOf(body, 'images', IMAGES_MAX).map((item, at) => parseImage(objectOf(item, `images[${at}]`))),
    run: body.run === null || body.run === undefined ? null : parseRun(objectOf(body.run, 'run')),
  };
}

function parseEvent(event: Fields): PlanPostEvent {
  return {
    at: timeOf(event, 'at'),
    start_by: timeOf(event, 'start_by'),
    kind: textOf(event, 'kind', 100),
    namespace: orNull(event, 'namespace', () => textOf(event, 'namespace', 253)),
    name: textOf(event, 'name', 253),
    replicas: orNull(event, 'replicas', () => numberOf(event, 'replicas')),
    images: listOf(event, 'images', EVENT_IMAGES_MAX).map((item) => {
      if (typeof item === 'string' && item.length <= 1_000) return item;
      throw new CodedError('INVALID_ARGUMENT', '"images" of an event holds something other than references');
    }),
  };
}

function parseImage(image: Fields): PlanPostImage {
  return {
    ref: textOf(image, 'ref', 1_000),
    digest: orNull(image, 'digest', () => textOf(image, 'digest', 200)),
    bytes: orNull(image, 'bytes', () => numberOf(image, 'bytes')),
    nodes_wanted: numberOf(image, 'nodes_wanted'),
    nodes_warm: numberOf(image, 'nodes_warm'),
  };
}

function parseRun(run: Fields): PlanPostRun {
  return {
    started_at: timeOf(run, 'started_at'),
    ended_at: orNull(run, 'ended_at', () => timeOf(run, 'ended_at')),
    present: numberOf(run, 'present'),
    fetched: numberOf(run, 'fetched'),
    skipped: numberOf(run, 'skipped'),
    failed: numberOf(run, 'failed'),
    bytes_fetched: numberOf(run, 'bytes_fetched'),
  };
}
