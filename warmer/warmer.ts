/** The warmer: what the command line and the daemon may ask of it. */
import type { Service } from '../core/runtime/lifecycle.ts';
import type { ImageLookup, Prepared } from './prepare.ts';
import type { RunResult } from './report/run-result.ts';
import type { RunView } from './report/run-view.ts';

export interface PlanCall {
  /** Fixes the clock, milliseconds since the epoch. */
  readonly nowMs: number;
  readonly lookup: ImageLookup;
  readonly signal: AbortSignal;
}

export interface RunCall extends PlanCall {
  readonly view: RunView;
}

/** Errors of every method: CodedError for what keeps the whole from being done; what fails for one image or node is in the result. */
export interface Warmer extends Service {
  /** What would be done. Moves nothing; goes on without the fleet when it does not answer, and says so. */
  plan(call: PlanCall): Promise<Prepared>;
  /** Does it, unless another warmer is at it. */
  run(call: RunCall): Promise<RunResult>;
  /** Names of the members that are there now. */
  members(options: { signal: AbortSignal }): Promise<readonly string[]>;
  /** At the next change that a source tells of by itself. Errors: the signal's reason. */
  changed(options: { signal: AbortSignal }): Promise<void>;
}
