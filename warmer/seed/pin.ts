/**
 * The pins of a run. A pin has one end for all of its blobs, so its name says its end: what is still wanted gets a later pin from a later
 * run, and what is not is let go when its own comes. Pure.
 */

export interface SeedPin {
  readonly name: string;
  /** ISO 8601. */
  readonly until: string;
}

/** Ends are rounded up to these, so that a few pins hold everything; milliseconds. */
const STEP_MS = 1_800_000;
const SHORTEST_STEP_MS = 60_000;

/**
 * @param times milliseconds since the epoch by the nodes' clock; `dueMs` as the plan's clock says, which may be another
 */
export function pinFor(dueMs: number | undefined, times: { planNowMs: number; nowMs: number; pinMs: number }): SeedPin {
  const leadMs = Math.max(0, (dueMs ?? times.planNowMs) - times.planNowMs);
  const step = Math.min(STEP_MS, Math.max(SHORTEST_STEP_MS, Math.floor(times.pinMs / 4)));
  const untilMs = Math.ceil((times.nowMs + leadMs + times.pinMs) / step) * step;
  const until = new Date(untilMs).toISOString().replace(/\.\d{3}Z$/, 'Z');
  return { name: `warm-${until.replace(/[-:]/g, '')}`, until };
}
