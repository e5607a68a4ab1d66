/** Who is asked next. Pure. */
import type { Surveyed } from './survey.ts';

/** Questions a second, over the whole fleet: a round of 5,000 members takes some three minutes, one of 100 four seconds. */
export const ASKED_PER_SECOND_MAX = 25;
/** An answer is good for so long, milliseconds; of a member in a swarm, whose pieces change, for less. */
const FRESH_MS = 10_000;
const FRESH_IN_SWARM_MS = 1_000;
/** One that did not answer is let alone for so long, milliseconds. */
const SILENT_MS = 30_000;

/**
 * The members whose turn it is, those first that have waited longest beyond their time.
 * @param countMax at most so many
 */
export function dueMembers<M extends { readonly name: string }>(
  members: readonly M[],
  known: ReadonlyMap<string, Surveyed>,
  { nowMs, countMax }: { nowMs: number; countMax: number },
): M[] {
  const due: { member: M; lateMs: number }[] = [];
  for (const member of members) {
    const lateMs = nowMs - dueAtMs(known.get(member.name));
    if (lateMs >= 0) due.push({ member, lateMs });
  }
  return due
    .sort((a, b) => b.lateMs - a.lateMs)
    .slice(0, countMax)
    .map(({ member }) => member);
}

function dueAtMs(surveyed: Surveyed | undefined): number {
  if (surveyed?.askedAtMs === undefined) return Number.NEGATIVE_INFINITY;
  if (surveyed.failure !== undefined) return surveyed.askedAtMs + SILENT_MS;
  const isBusy = (surveyed.facts?.swarms.length ?? 0) > 0 || (surveyed.facts?.flights ?? 0) > 0;
  return surveyed.askedAtMs + (isBusy ? FRESH_IN_SWARM_MS : FRESH_MS);
}
