/** What a run came to: one row for each image on each node, and their sum. Pure. */
import type { FailedImage, ResolvedImage } from '../images/images.ts';
import type { Plan, PlannedImage } from '../plan/plan.ts';
import type { Outcomes, PairOutcome } from '../seed/outcomes.ts';

export interface RunResult {
  /** The plan's clock, milliseconds since the epoch. */
  readonly atMs: number;
  readonly elapsedMs: number;
  readonly plan: Plan;
  readonly images: ReadonlyMap<string, ResolvedImage>;
  readonly failed: readonly FailedImage[];
  readonly outcomes: Outcomes;
  /** Why nothing was tried: paused, or somebody else is at it. */
  readonly notTried: string | undefined;
  /** True when another warmer does it: nothing is wrong. */
  readonly isElsewhere: boolean;
}

export interface RunRow {
  /** undefined: no node can have it. */
  readonly node: string | undefined;
  readonly image: PlannedImage;
  readonly outcome: PairOutcome;
}

export interface RunTotals {
  readonly rows: number;
  readonly present: number;
  readonly fetched: number;
  readonly verified: number;
  readonly skipped: number;
  readonly failed: number;
  readonly bytesFetched: number;
}

export type RunEnd = 'done' | 'part' | 'failed';

/** By node, the most urgent image first; then what no node can have. */
export function* runRows(result: RunResult): Generator<RunRow> {
  const { plan } = result;
  const images = new Map(plan.images.map((image) => [image.reference, image]));
  const failures = new Map(result.failed.map((failure) => [failure.reference, failure]));
  for (const { name, images: references } of plan.nodes) {
    for (const reference of references) {
      const image = images.get(reference);
      if (image === undefined) continue;
      yield { node: name, image, outcome: outcomeOf(result, name, { reference, failure: failures.get(reference) }) };
    }
  }
  for (const image of plan.images) {
    for (const node of image.refusedBy) yield { node, image, outcome: skipped('No room on the node', true) };
    if (image.nodeCount > 0 || image.refusedBy.length > 0) continue;
    const failure = failures.get(image.reference);
    const outcome = failure === undefined ? skipped('No node can run it', false) : failedAtRegistry(failure);
    yield { node: undefined, image, outcome };
  }
}

export function totalsOf(result: RunResult): RunTotals {
  const totals = { rows: 0, present: 0, fetched: 0, verified: 0, skipped: 0, failed: 0, bytesFetched: 0 };
  for (const { outcome } of runRows(result)) {
    totals.rows += 1;
    totals[outcome.state] += 1;
    totals.bytesFetched += outcome.bytesFetched;
    if (outcome.isVerified) totals.verified += 1;
  }
  return totals;
}

/** `part`: something is not warm that should be; `failed`: nothing is, though it was tried. */
export function endOf({ rows, verified, failed }: RunTotals): RunEnd {
  if (verified === rows) return 'done';
  return verified === 0 && failed > 0 ? 'failed' : 'part';
}

function outcomeOf(
  { outcomes, notTried }: RunResult,
  node: string,
  { reference, failure }: { reference: string; failure: FailedImage | undefined },
): PairOutcome {
  if (failure !== undefined) return failedAtRegistry(failure);
  return outcomes.get(node, reference) ?? skipped(notTried ?? 'It was not tried', true);
}

const NOTHING = {
  bytesTotal: 0,
  bytesFetched: 0,
  isVerified: false,
  pinnedUntil: undefined,
  unpacked: undefined,
  failedDigest: undefined,
};

function skipped(reason: string, isRetriable: boolean): PairOutcome {
  return { ...NOTHING, state: 'skipped', code: undefined, reason, isRetriable };
}

function failedAtRegistry({ code, reason, isRetriable }: FailedImage): PairOutcome {
  return { ...NOTHING, state: 'failed', code, reason, isRetriable };
}
