/**
 * The warmer as a daemon: runs on its own schedule, before events by the time that each has to begin, and at once for members that
 * come. It looks at the sources between runs, so that an event announced a minute ago is not missed.
 */
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { Service } from '../../core/runtime/lifecycle.ts';
import type { PlannedEvent } from '../plan/plan.ts';
import type { ImageLookup, Prepared } from '../prepare.ts';
import { type RunResult, runRows } from '../report/run-result.ts';
import { silentView } from '../report/run-view.ts';
import { OwnSchedule } from '../schedule/own-schedule.ts';
import type { Warmer } from '../warmer.ts';
import { DueEvents } from './due-events.ts';
import type { DaemonEvents, RunReason } from './events.ts';
import { RunTurn } from './run-turn.ts';

/** Sources are looked at so often, and at each change that they tell of; milliseconds. */
const LOOK_EVERY_MS = 120_000;
/** Changes come in crowds. */
const SETTLE_MS = 2_000;
/** The longest sleep: a clock that jumps is noticed after it, milliseconds. */
const SLEEP_MAX_MS = 15_000;
const MEMBERS_EVERY_MS = 5_000;
/** What a tag meant so long ago it is taken to mean still, for an event that is warm already; milliseconds. */
const FRESH_MS = 600_000;

export interface WarmDaemonDeps {
  readonly warmer: Warmer;
  readonly clock: Clock;
  readonly events: DaemonEvents;
}

export interface WarmDaemonOptions {
  /** "" = only before events. */
  readonly cron: string;
  readonly timezone: string;
  readonly jitterMs?: number;
}

export class WarmDaemon implements Service {
  readonly #deps: WarmDaemonDeps;
  readonly #schedule: OwnSchedule;
  readonly #due = new DueEvents();
  readonly #life = new AbortController();
  readonly #turn: RunTurn<RunReason>;
  #loops: Promise<unknown> = Promise.resolve();
  #events: readonly PlannedEvent[] = [];
  /** When tags were looked up last, on the monotonic clock. */
  #resolvedMs: number | undefined;
  #isMissed = false;

  constructor(deps: WarmDaemonDeps, options: WarmDaemonOptions) {
    this.#deps = deps;
    this.#turn = new RunTurn((reason) => this.#run(reason));
    this.#schedule = new OwnSchedule(
      {
        run: () => {
          const reason = this.#isMissed ? 'missed' : 'schedule';
          this.#isMissed = false;
          return this.#turn.request(reason);
        },
        report: (event) => {
          if (event === 'missed') this.#isMissed = true;
          if (event === 'overlap') deps.events.overlapped();
        },
      },
      options,
    );
  }

  async start({ signal }: { signal: AbortSignal }): Promise<void> {
    await this.#deps.warmer.start({ signal });
    await this.#schedule.start({ signal: this.#life.signal });
    this.#loops = Promise.all([this.#watchSources(), this.#watchMembers()]);
  }

  /** Aborts a run that is on its way: what it has brought stays, and the next does the rest. */
  async stop(): Promise<void> {
    this.#life.abort(new CodedError('CANCELLED', 'The warmer is stopping'));
    await this.#schedule.stop();
    await this.#loops;
    await this.#turn.idle();
    await this.#deps.warmer.stop();
  }

  async #watchSources(): Promise<void> {
    const { clock, events } = this.#deps;
    const { signal } = this.#life;
    while (!signal.aborted) {
      try {
        await this.#look();
      } catch (error) {
        if (signal.aborted) return;
        events.lookFailed(error);
      }
      const lookAgainMs = clock.monotonicMs() + LOOK_EVERY_MS;
      await this.#untilSomethingIsDue(lookAgainMs).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const { warmer, clock, events } = this.#deps;
    const lookup: ImageLookup = this.#resolvedMs === undefined ? 'resolve' : 'remember';
    const prepared = await warmer.plan({ nowMs: clock.now(), lookup, signal: this.#life.signal });
    if (lookup === 'resolve') this.#resolvedMs = clock.monotonicMs();
    this.#events = prepared.plan.events;
    const nowMs = clock.now();
    this.#due.prune(nowMs - LOOK_EVERY_MS);
    const due = this.#due.due(this.#events, nowMs);
    const next = this.#due.nextMs(this.#events, nowMs);
    const nextEventStartBy = next === undefined ? undefined : new Date(next).toISOString();
    events.looked({
      events: this.#events.length,
      nextRunAt: this.#schedule.nextRun()?.toISOString(),
      nextEventStartBy,
    });
    const cold = this.#coldOf(due, prepared);
    for (const event of due) if (!cold.includes(event)) this.#isWarm(event);
    if (cold.length > 0) await this.#turn.request('event');
  }

  /** Of events that are due: those for which something has to be done, if only to see what their tags mean now. */
  #coldOf(due: readonly PlannedEvent[], { plan }: Prepared): PlannedEvent[] {
    const isFresh = this.#resolvedMs !== undefined && this.#deps.clock.monotonicMs() - this.#resolvedMs < FRESH_MS;
    if (!isFresh) return [...due];
    const warm = new Set(
      plan.images
        .filter(({ digest, nodeCount, missingNodeCount, refusedBy }) => {
          return digest !== undefined && nodeCount > 0 && missingNodeCount === 0 && refusedBy.length === 0;
        })
        .map(({ reference }) => reference),
    );
    // Nothing runs for an event without images, whatever the fleet holds.
    return due.filter(({ images }) => !images.every((reference) => warm.has(reference)));
  }

  #isWarm(event: PlannedEvent): void {
    const { events, clock } = this.#deps;
    if (this.#due.warm(event, clock.now()) && event.images.length > 0) events.eventWarm(event, event.at - clock.now());
  }

  async #run(reason: RunReason): Promise<void> {
    const { warmer, clock, events } = this.#deps;
    const { signal } = this.#life;
    if (signal.aborted) return;
    events.runBegan(reason);
    const lookup: ImageLookup = reason === 'newcomer' && this.#resolvedMs !== undefined ? 'remember' : 'resolve';
    const nowMs = clock.now();
    try {
      const result = await warmer.run({ nowMs, lookup, signal, view: silentView });
      if (lookup === 'resolve' && !result.isElsewhere) this.#resolvedMs = clock.monotonicMs();
      events.runEnded(reason, result);
      this.#judge(result, nowMs);
    } catch (error) {
      if (signal.aborted) return;
      events.runFailed(reason, error);
      this.#put(this.#due.due(this.#events, nowMs));
    }
  }

  /** Which of the events that were due are warm now. */
  #judge(result: RunResult, nowMs: number): void {
    const cold = new Set<string>();
    for (const { image, outcome } of runRows(result)) if (!outcome.isVerified) cold.add(image.reference);
    const due = this.#due.due(result.plan.events, nowMs);
    const isCold = ({ images }: PlannedEvent) => images.some((reference) => cold.has(reference));
    for (const event of due) if (!isCold(event)) this.#isWarm(event);
    this.#put(due.filter(isCold));
  }

  /** To be tried again after a while. */
  #put(due: readonly PlannedEvent[]): void {
    const { events, clock } = this.#deps;
    for (const event of due) events.eventNotWarm(event, this.#due.failed(event, clock.now()));
  }

  /** In short sleeps by the wall clock: events are by it, and it may jump. */
  async #untilSomethingIsDue(lookAgainMs: number): Promise<void> {
    const { clock, warmer } = this.#deps;
    const over = new AbortController();
    const signal = AbortSignal.any([this.#life.signal, over.signal]);
    let hasChanged = false;
    const change = warmer.changed({ signal }).then(
      () => {
        hasChanged = true;
      },
      () => undefined,
    );
    let lastMs = clock.now();
    while (!signal.aborted && !hasChanged && clock.monotonicMs() < lookAgainMs) {
      const nowMs = clock.now();
      const nextMs = this.#due.nextMs(this.#events, lastMs);
      if (nextMs !== undefined && nextMs <= nowMs) break;
      lastMs = nowMs;
      const waitMs = Math.max(50, Math.min(SLEEP_MAX_MS, (nextMs ?? Number.POSITIVE_INFINITY) - nowMs));
      await Promise.race([clock.sleep(waitMs, { signal }), change]);
    }
    over.abort();
    await change;
    if (hasChanged) await clock.sleep(SETTLE_MS, { signal: this.#life.signal });
  }

  /** A node that comes has nothing: it gets what the others have. */
  async #watchMembers(): Promise<void> {
    const { clock, warmer, events } = this.#deps;
    const { signal } = this.#life;
    let known: ReadonlySet<string> | undefined;
    while (!signal.aborted) {
      // A node that does not answer now says nothing of who came.
      const names = await warmer.members({ signal }).catch(() => undefined);
      const fresh = names?.filter((name) => known?.has(name) === false) ?? [];
      if (names !== undefined) known = new Set(names);
      if (fresh.length > 0) {
        events.newcomers(fresh);
        await this.#turn.request('newcomer').catch(() => undefined);
      }
      await clock.sleep(MEMBERS_EVERY_MS, { signal }).catch(() => undefined);
    }
  }
}
