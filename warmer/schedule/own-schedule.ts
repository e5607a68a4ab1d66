/**
 * The warmer's own schedule, run by node-cron: never two runs at once, a random delay so that many warmers do not start
 * together, and a run that was missed (a machine asleep, a clock that jumped) is made up for once. node-cron's dialect is its
 * own; what other controllers do is predicted by `cron/`.
 */
import { createTask, type ScheduledTask, validateDetailed } from 'node-cron';
import { CodedError } from '../../core/runtime/errors.ts';
import type { Service } from '../../core/runtime/lifecycle.ts';
import { isZone } from './cron/zone-name.ts';

/** `overlap`: the last run is not over, this one is left out. `missed`: a time went by, it is run now. */
export type OwnScheduleEvent = 'overlap' | 'missed' | 'failed';

export interface OwnScheduleDeps {
  /** One run of the warmer. */
  run(options: { signal: AbortSignal }): Promise<void>;
  report(event: OwnScheduleEvent, error?: unknown): void;
}

export interface OwnScheduleOptions {
  /** "" = never. */
  readonly cron: string;
  readonly timezone: string;
  /** A run begins up to so much later than its time. Default: half a minute. */
  readonly jitterMs?: number;
}

const JITTER_MS = 30_000;
/** Later than this a run counts as missed; timers are late by less. */
const MISSED_AFTER_MS = 5000;
const SILENT = { info() {}, warn() {}, error() {}, debug() {} };

/** What is wrong with the schedule of a configuration; undefined when nothing is. */
export function ownScheduleProblem({ cron, timezone }: OwnScheduleOptions): string | undefined {
  if (!isZone(timezone)) return `time zone "${timezone}" does not exist`;
  if (cron === '') return undefined;
  const { valid, errors } = validateDetailed(cron);
  if (valid) return undefined;
  return `"${cron}" is not a cron expression: ${errors.map(({ message }) => message).join(', ') || 'it is not understood'}`;
}

/** Starts and stops the schedule. @throws CodedError INVALID_ARGUMENT from `start` for a schedule with a problem */
export class OwnSchedule implements Service {
  readonly #deps: OwnScheduleDeps;
  readonly #options: OwnScheduleOptions;
  readonly #stopping = new AbortController();
  #task: ScheduledTask | undefined;
  #running: Promise<void> | undefined;

  constructor(deps: OwnScheduleDeps, options: OwnScheduleOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async start({ signal }: { signal: AbortSignal }): Promise<void> {
    const problem = ownScheduleProblem(this.#options);
    if (problem !== undefined) throw new CodedError('INVALID_ARGUMENT', `The schedule is refused: ${problem}`);
    if (this.#options.cron === '') return;
    const both = AbortSignal.any([signal, this.#stopping.signal]);
    const task = createTask(this.#options.cron, () => this.#runOnce(both), {
      timezone: this.#options.timezone,
      maxRandomDelay: this.#options.jitterMs ?? JITTER_MS,
      missedExecutionTolerance: MISSED_AFTER_MS,
      suppressMissedWarning: true,
      logger: SILENT,
    });
    task.on('execution:missed', () => {
      this.#deps.report('missed');
      return this.#runOnce(both);
    });
    this.#task = task;
    await task.start();
  }

  /** The time of the next run; undefined when there is none. */
  nextRun(): Date | undefined {
    return this.#task?.getNextRun() ?? undefined;
  }

  /** Aborts a run that is on its way and waits for its end. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#task?.destroy();
    this.#task = undefined;
    await this.#running;
  }

  async #runOnce(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    if (this.#running !== undefined) return this.#deps.report('overlap');
    this.#running = this.#deps.run({ signal }).catch((error: unknown) => {
      if (!signal.aborted) this.#deps.report('failed', error);
    });
    await this.#running;
    this.#running = undefined;
  }
}
