/** The plan as the warmer tells it to its node, for the page (`proto/shoal/plan/v1`): short, and within that form's bounds. Pure. */
import type { PlanPost, PlanPostEvent, PlanPostImage, PlanPostRun } from '../../proto/shoal/plan/v1/plan-post.ts';
import type { Plan, PlannedEvent, PlannedImage } from '../plan/plan.ts';
import { type RunResult, runRows, totalsOf } from './run-result.ts';

/** As the node takes them; a fleet has more, and nobody reads them on a page. */
const EVENTS_MAX = 500;
const IMAGES_MAX = 2_000;
const EVENT_IMAGES_MAX = 100;

export interface PlanPostFacts {
  /** A host or pod. */
  readonly warmer: string;
  readonly plan: Plan;
  /** Of the run that the plan was made for, when it is over. */
  readonly result?: RunResult | undefined;
  /** The last run; null before the first. */
  readonly run: PlanPostRun | null;
}

export function planPost({ warmer, plan, result, run }: PlanPostFacts): PlanPost {
  const verified = result === undefined ? undefined : verifiedNodes(result);
  const images = plan.images.slice(0, IMAGES_MAX);
  const told = new Set(images.map(({ reference }) => reference));
  return {
    at: new Date(plan.atMs).toISOString(),
    warmer: warmer.slice(0, 200),
    events: plan.events.slice(0, EVENTS_MAX).map((event) => eventOf(event, told)),
    images: images.map((image) => imageOf(image, verified)),
    run,
  };
}

function eventOf(event: PlannedEvent, told: ReadonlySet<string>): PlanPostEvent {
  return {
    at: new Date(event.at).toISOString(),
    start_by: new Date(event.startByMs).toISOString(),
    kind: event.kind,
    namespace: event.namespace ?? null,
    name: event.name,
    replicas: event.replicas ?? null,
    images: event.images.filter((reference) => told.has(reference)).slice(0, EVENT_IMAGES_MAX),
  };
}

/** Nodes without room are to have it as well: an event that they are needed for is not warm. */
function imageOf(image: PlannedImage, verified: ReadonlyMap<string, number> | undefined): PlanPostImage {
  const before = image.digest === undefined ? 0 : image.nodeCount - image.missingNodeCount;
  return {
    ref: image.reference,
    digest: image.digest ?? null,
    bytes: image.bytes ?? null,
    nodes_wanted: image.nodeCount + image.refusedBy.length,
    // A run that was not tried, or not to its end, takes nothing away.
    nodes_warm: Math.max(before, verified?.get(image.reference) ?? 0),
  };
}

function verifiedNodes(result: RunResult): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { image, outcome } of runRows(result)) {
    if (outcome.isVerified) counts.set(image.reference, (counts.get(image.reference) ?? 0) + 1);
  }
  return counts;
}

/** @param nowMs when it ended, milliseconds since the epoch */
export function runPost(result: RunResult, nowMs: number): PlanPostRun {
  const { present, fetched, skipped, failed, bytesFetched } = totalsOf(result);
  return {
    started_at: new Date(nowMs - result.elapsedMs).toISOString(),
    ended_at: new Date(nowMs).toISOString(),
    ...{ present, fetched, skipped, failed, bytes_fetched: bytesFetched },
  };
}
