/**
 * When a schedule fires next: robfig/cron's own search (`spec.go`, `constantdelay.go`), step by step, so that daylight saving
 * gives what the controllers get: a local time that does not exist is skipped, one that exists twice fires twice.
 */
import type { CronField } from './cron-field.ts';
import type { CalendarSchedule, CronSchedule } from './cron-schedule.ts';
import { nextSecond, ZonedTime } from './zoned-time.ts';

/** robfig gives up after five years; such a schedule never fires. */
const SEARCH_YEARS = 5;
/**
 * Field advances in one search. Five years of days and their hours take some 45,000. Where a whole day is missing (Samoa in 2011)
 * robfig itself goes round for ever; we call that never.
 */
const ADVANCES_MAX = 100_000;
const MINUTE_MS = 60_000;
const SECOND_MS = 1000;

/**
 * The first firing strictly after `afterMs`, in milliseconds since the epoch; undefined when there is none within five years.
 * @param zone the zone of who runs the schedule; a `TZ=` prefix of the schedule wins over it
 */
export function nextTime(schedule: CronSchedule, afterMs: number, zone: string): number | undefined {
  if (schedule.type === 'delay') return Math.floor(afterMs / SECOND_MS) * SECOND_MS + schedule.delayMs;
  if (isImpossible(schedule)) return undefined;
  return search(schedule, new ZonedTime(nextSecond(afterMs), schedule.zone ?? zone));
}

/**
 * Firings after `afterMs` up to and with `untilMs`, at most `countMax` of them.
 */
export function timesUntil(
  schedule: CronSchedule,
  span: { afterMs: number; untilMs: number; zone: string; countMax: number },
): number[] {
  const times: number[] = [];
  let at = nextTime(schedule, span.afterMs, span.zone);
  while (at !== undefined && at <= span.untilMs && times.length < span.countMax) {
    times.push(at);
    at = nextTime(schedule, at, span.zone);
  }
  return times;
}

/** A field such as "," lets nothing through; robfig searches five years second by second to find that out. */
function isImpossible(schedule: CalendarSchedule): boolean {
  const fields = [schedule.second, schedule.minute, schedule.hour, schedule.month];
  return fields.some((field) => !field.allows.includes(true));
}

/** Where the search stands. `isMoved`: a larger field was advanced, so the smaller ones stand at their beginning. */
interface Walk {
  at: ZonedTime;
  isMoved: boolean;
  advancesLeft: number;
}

type Step = (schedule: CalendarSchedule, walk: Walk) => 'found' | 'wrapped';

function search(schedule: CalendarSchedule, from: ZonedTime): number | undefined {
  const walk: Walk = { at: from, isMoved: false, advancesLeft: ADVANCES_MAX };
  const lastYear = from.year + SEARCH_YEARS;
  while (walk.at.year <= lastYear && walk.advancesLeft > 0) {
    if (STEPS.every((step) => step(schedule, walk) === 'found')) return walk.at.ms;
  }
  return undefined;
}

const findMonth: Step = ({ month }, walk) => {
  while (!matches(month, walk.at.month)) {
    advance(walk, { toStart: (at) => at.startOfMonth(), toNext: (at) => at.addMonth() });
    if (isSpent(walk) || walk.at.month === 1) return 'wrapped';
  }
  return 'found';
};

const findDay: Step = (schedule, walk) => {
  while (!matchesDay(schedule, walk.at)) {
    const toNext = (at: ZonedTime) => (schedule.isMidnightCorrected ? nearestMidnight(at.addDay()) : at.addDay());
    advance(walk, { toStart: (at) => at.startOfDay(), toNext });
    if (isSpent(walk) || walk.at.day === 1) return 'wrapped';
  }
  return 'found';
};

const findHour: Step = ({ hour }, walk) => {
  while (!matches(hour, walk.at.hour)) {
    advance(walk, { toStart: (at) => at.startOfHour(), toNext: (at) => at.addHours(1) });
    if (isSpent(walk) || walk.at.hour === 0) return 'wrapped';
  }
  return 'found';
};

const findMinute: Step = ({ minute }, walk) => {
  while (!matches(minute, walk.at.minute)) {
    advance(walk, { toStart: (at) => at.truncate(MINUTE_MS), toNext: (at) => at.add(MINUTE_MS) });
    if (isSpent(walk) || walk.at.minute === 0) return 'wrapped';
  }
  return 'found';
};

const findSecond: Step = ({ second }, walk) => {
  while (!matches(second, walk.at.second)) {
    advance(walk, { toStart: (at) => at.truncate(SECOND_MS), toNext: (at) => at.add(SECOND_MS) });
    if (isSpent(walk) || walk.at.second === 0) return 'wrapped';
  }
  return 'found';
};

const STEPS: readonly Step[] = [findMonth, findDay, findHour, findMinute, findSecond];

interface Advance {
  readonly toStart: (at: ZonedTime) => ZonedTime;
  readonly toNext: (at: ZonedTime) => ZonedTime;
}

/** The first advance puts the smaller fields to their beginning; afterwards they stand there. */
function advance(walk: Walk, { toStart, toNext }: Advance): void {
  walk.at = toNext(walk.isMoved ? walk.at : toStart(walk.at));
  walk.isMoved = true;
  walk.advancesLeft -= 1;
}

function isSpent(walk: Walk): boolean {
  return walk.advancesLeft <= 0;
}

function matches(field: CronField, value: number): boolean {
  return field.allows[value] === true;
}

/** Both day fields when one of them is a star, either of them otherwise. */
function matchesDay({ dayOfMonth, dayOfWeek }: CalendarSchedule, at: ZonedTime): boolean {
  const isDay = matches(dayOfMonth, at.day);
  const isWeekday = matches(dayOfWeek, at.weekday);
  return dayOfMonth.isStar || dayOfWeek.isStar ? isDay && isWeekday : isDay || isWeekday;
}

/** A day whose midnight does not exist: back to its first hour, or forward over the last hour of the day before. */
function nearestMidnight(at: ZonedTime): ZonedTime {
  if (at.hour === 0) return at;
  return at.addHours(at.hour > 12 ? 24 - at.hour : -at.hour);
}
