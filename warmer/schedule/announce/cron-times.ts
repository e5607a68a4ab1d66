/** When a cron expression of a manifest fires within the horizon. */
import type { CronDialect } from '../cron/cron-dialect.ts';
import { parseCron } from '../cron/cron-parser.ts';
import { nextTime, timesUntil } from '../cron/next-time.ts';
import { checkZone } from '../cron/zone-name.ts';
import type { World } from '../world/world.ts';
import { refused } from './announcement.ts';

/** Times of one schedule that are looked at: a day of minutes fits. Later ones are seen by later runs. */
const TIMES_MAX = 1500;

export interface CronTimes {
  readonly times: readonly number[];
  readonly schedule: string;
  /** The zone that counts: that of the expression's prefix, else the given one. */
  readonly timezone: string;
}

export interface CronPlan {
  readonly expression: string;
  readonly dialect: CronDialect;
  readonly zone: string;
  /** Firings strictly after this; default: now. */
  readonly afterMs?: number;
  /** `@every` counts from here; default: now. Calendar schedules do not care. */
  readonly delayFromMs?: number | undefined;
}

/** @throws CodedError when it is no cron expression, its zone does not exist, or it never fires */
export function cronTimes(plan: CronPlan, world: World): CronTimes {
  const zone = checkZone(plan.zone);
  const schedule = parseCron(plan.expression, plan.dialect);
  const afterMs = plan.afterMs ?? world.nowMs;
  const timezone = schedule.type === 'calendar' ? (schedule.zone ?? zone) : zone;
  const span = { afterMs, untilMs: world.untilMs, zone, countMax: TIMES_MAX };
  const isCalendar = schedule.type === 'calendar';
  if (nextTime(schedule, afterMs, zone) === undefined) {
    throw refused(`"${plan.expression}" never fires: no time within five years matches it`, 'OUT_OF_RANGE');
  }
  const since = isCalendar ? afterMs : delayStart(plan.delayFromMs, { afterMs, delayMs: schedule.delayMs });
  return { times: timesUntil(schedule, { ...span, afterMs: since }), schedule: plan.expression, timezone };
}

/** The last firing at or before `afterMs` of a delay that counts from `fromMs`. */
function delayStart(fromMs: number | undefined, { afterMs, delayMs }: { afterMs: number; delayMs: number }): number {
  if (fromMs === undefined || fromMs >= afterMs) return fromMs ?? afterMs;
  return fromMs + Math.floor((afterMs - fromMs) / delayMs) * delayMs;
}
