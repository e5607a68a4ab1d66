/** memberlist's formulas: how time and effort grow with the number of members. Pure. (memberlist `util.go`, `suspicion.go`) */

/** Members beyond which state exchanges become rarer. */
const PUSH_PULL_THRESHOLD = 32;

/** The least time that a suspicion lasts, milliseconds. */
export function suspicionTimeoutMs(factor: number, members: number, probeIntervalMs: number): number {
  const scale = Math.max(1, Math.log10(Math.max(1, members)));
  return Math.floor((factor * Math.floor(scale * 1_000) * probeIntervalMs) / 1_000);
}

/** How often one rumour is sent. */
export function retransmitLimit(factor: number, members: number): number {
  return factor * Math.ceil(Math.log10(members + 1));
}

/** Milliseconds between two exchanges of whole states. */
export function pushPullIntervalMs(intervalMs: number, members: number): number {
  if (members <= PUSH_PULL_THRESHOLD) return intervalMs;
  return (Math.ceil(Math.log2(members) - Math.log2(PUSH_PULL_THRESHOLD)) + 1) * intervalMs;
}

/** What of a suspicion is still to come, milliseconds; 0 or less: it is over. */
export interface SuspicionFacts {
  /** Members other than the first that suspect it too. */
  readonly confirmations: number;
  /** So many confirmations shorten it to its least. */
  readonly wanted: number;
  readonly elapsedMs: number;
  readonly leastMs: number;
  readonly mostMs: number;
}

export function suspicionLeftMs(facts: SuspicionFacts): number {
  const share = Math.log(facts.confirmations + 1) / Math.log(facts.wanted + 1);
  const raw = facts.mostMs - share * (facts.mostMs - facts.leastMs);
  return Math.max(facts.leastMs, Math.floor(raw)) - facts.elapsedMs;
}
