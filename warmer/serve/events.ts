/** What the daemon tells: logs and counters together. */
import { messageOf } from '../../core/runtime/errors.ts';
import type { Logger } from '../../core/runtime/log.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';
import type { PlannedEvent } from '../plan/plan.ts';
import { endOf, type RunResult, totalsOf } from '../report/run-result.ts';

/** Why a run began. */
export type RunReason = 'schedule' | 'missed' | 'event' | 'newcomer';

export interface DaemonEvents {
  runBegan(reason: RunReason): void;
  runEnded(reason: RunReason, result: RunResult): void;
  runFailed(reason: RunReason, error: unknown): void;
  overlapped(): void;
  /** @param leadMs from now to the event; less than nothing when it was late */
  eventWarm(event: PlannedEvent, leadMs: number): void;
  eventNotWarm(event: PlannedEvent, attempts: number): void;
  looked(told: { events: number; nextRunAt: string | undefined; nextEventStartBy: string | undefined }): void;
  lookFailed(error: unknown): void;
  newcomers(names: readonly string[]): void;
}

/** From late over the usual margin to a day. */
const LEAD_BUCKETS = [-3600, -600, -60, 0, 60, 300, 600, 1800, 3600, 14_400, 86_400];

export function createDaemonEvents({ log, metrics }: { log: Logger; metrics: Metrics }): DaemonEvents {
  const runs = metrics.counter({ name: 'shoal_warm_runs_total', help: 'Runs of the warmer', labels: ['result'] });
  const leads = metrics.histogram({
    name: 'shoal_warm_event_lead_seconds',
    help: 'From when an event was warm to the event',
    labels: ['kind'],
    buckets: LEAD_BUCKETS,
  });
  return {
    runBegan: (reason) => log.info({ reason }, 'Run began'),
    runEnded(reason, result) {
      const totals = totalsOf(result);
      const end = result.isElsewhere ? 'elsewhere' : endOf(totals);
      runs.add(1, { result: end });
      const fields = { reason, result: end, ...totals, seconds: result.elapsedMs / 1000, why: result.notTried };
      if (end === 'done' || end === 'elsewhere') log.info(fields, 'Run ended');
      else log.warn(fields, 'Run ended, not everything is warm');
    },
    runFailed(reason, error) {
      runs.add(1, { result: 'failed' });
      log.warn({ reason, why: messageOf(error) }, 'Run failed');
    },
    overlapped: () => log.info({}, 'Run left out, the last is not over'),
    eventWarm(event, leadMs) {
      leads.observe(leadMs / 1000, { kind: event.kind });
      log.info({ ...named(event), leadSeconds: leadMs / 1000 }, 'Event is warm');
    },
    eventNotWarm: (event, attempts) => log.warn({ ...named(event), attempts }, 'Event is not warm yet'),
    looked: (told) => log.debug(told, 'Looked at the sources'),
    lookFailed: (error) => log.warn({ why: messageOf(error) }, 'Look at the sources failed'),
    newcomers: (names) => log.info({ names }, 'New members'),
  };
}

function named({ kind, namespace, name, at }: PlannedEvent) {
  return { kind, namespace, name, at: new Date(at).toISOString() };
}
