/** What a run is measured against. Pure. */
import type { ScenarioName } from './options.ts';

export const SHARE_MEDIAN_MIN = 0.85;
export const SHARE_WORST_MIN = 0.75;
const COPIES_MAX = 1.05;
const COPIES_MAX_OWNER_KILLED = 1.2;
/** Below this the machine was measured and not its network. */
export const IDLE_SHARE_MIN = 0.15;

export interface Measured {
  readonly scenario: ScenarioName;
  /** Of those on an ordinary link; undefined where speed is not the question. */
  readonly share: Shares | undefined;
  /** The larger of what the link and what the nodes counted. */
  readonly upstreamCopies: number;
  /** Pulls that failed although a member had what they wanted. */
  readonly failures: number;
  readonly wrongBlobs: number;
}

export interface Shares {
  readonly median: number;
  readonly worst: number;
}

/** Whether each goal is met; null where it does not apply. */
export interface Verdict {
  readonly share: boolean | null;
  readonly upstreamCopies: boolean;
  readonly noFailedPull: boolean;
  readonly noWrongByte: boolean;
  readonly met: boolean;
}

export function judge(run: Measured): Verdict {
  const { share } = run;
  const copiesMax = run.scenario === 'owner-killed' ? COPIES_MAX_OWNER_KILLED : COPIES_MAX;
  const goals = {
    share: share === undefined ? null : share.median >= SHARE_MEDIAN_MIN && share.worst >= SHARE_WORST_MIN,
    upstreamCopies: run.upstreamCopies <= copiesMax,
    noFailedPull: run.failures === 0,
    noWrongByte: run.wrongBlobs === 0,
  };
  return { ...goals, met: !Object.values(goals).includes(false) };
}
