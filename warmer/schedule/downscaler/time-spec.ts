/**
 * py-kube-downscaler's time ranges (`kube_downscaler/helper.py`): `Mon-Fri 07:30-20:30 Europe/Berlin`, `08:00 UTC` (half an hour,
 * every day), two ISO instants joined by a hyphen, `always`, `never`; several joined by commas.
 */
import { CodedError } from '../../../core/runtime/errors.ts';
import { STANDARD_DIALECT } from '../cron/cron-dialect.ts';
import { parseCron } from '../cron/cron-parser.ts';
import { timesUntil } from '../cron/next-time.ts';
import { checkZone } from '../cron/zone-name.ts';
import { ZonedTime } from '../cron/zoned-time.ts';

/** Recurs on days of the week; minutes count from local midnight, the end is not in it. */
interface RecurringRange {
  readonly type: 'recurring';
  /** 0 is Sunday. */
  readonly days: readonly number[];
  readonly fromMinute: number;
  readonly toMinute: number;
  readonly zone: string;
}

interface AbsoluteRange {
  readonly type: 'absolute';
  readonly fromMs: number;
  readonly toMs: number;
}

type TimeRange = RecurringRange | AbsoluteRange;

export type TimeSpec = 'always' | 'never' | readonly TimeRange[];

/** Ranges in one text; more than anybody writes. */
const RANGES_MAX = 64;
const DEFAULT_PERIOD_MINUTES = 30;
const DAY_MINUTES = 1440;
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const ISO = String.raw`(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[-+]\d{2}:\d{2})`;
const ABSOLUTE = new RegExp(`^${ISO}-${ISO}$`);
const RECURRING = /^(?:([a-zA-Z]{3})-([a-zA-Z]{3}) )?(\d\d):(\d\d)(?:-(\d\d):(\d\d))?(?: ([a-zA-Z/_]+))?$/;

/** @throws CodedError INVALID_ARGUMENT for what the downscaler refuses, or for a range whose zone nobody tells */
export function parseTimeSpec(text: string, defaultZone: string | undefined): TimeSpec {
  const word = text.toLowerCase();
  if (word === 'always' || word === 'never') return word;
  const parts = text.split(',');
  if (parts.length > RANGES_MAX) throw new CodedError('RESOURCE_EXHAUSTED', `More than ${RANGES_MAX} time ranges`);
  return parts.map((part) => parseRange(part.trim(), defaultZone));
}

/** True when `atMs` lies within one of the ranges. */
export function matchesTimeSpec(spec: TimeSpec, atMs: number): boolean {
  if (typeof spec === 'string') return spec === 'always';
  return spec.some((range) => matchesRange(range, atMs));
}

/** Where ranges begin and where they end, after `afterMs` up to `untilMs`; sorted, each once. */
export function edgesOf(
  spec: TimeSpec,
  span: { afterMs: number; untilMs: number },
): { starts: number[]; ends: number[] } {
  if (typeof spec === 'string') return { starts: [], ends: [] };
  const isWithin = (atMs: number) => atMs > span.afterMs && atMs <= span.untilMs;
  const gather = (edge: 'from' | 'to') =>
    [...new Set(spec.flatMap((range) => edgeTimes(range, { ...span, edge })))].filter(isWithin).sort((a, b) => a - b);
  return { starts: gather('from'), ends: gather('to') };
}

function parseRange(text: string, defaultZone: string | undefined): TimeRange {
  const absolute = ABSOLUTE.exec(text);
  if (absolute !== null) {
    const [fromMs = Number.NaN, toMs = Number.NaN] = absolute.slice(1).map((instant) => Date.parse(instant));
    if (Number.isNaN(fromMs + toMs)) throw wrong(text);
    return { type: 'absolute', fromMs, toMs };
  }
  const recurring = RECURRING.exec(text);
  // Without days a range has no end of its own: `08:00-10:00` alone is refused by the downscaler.
  if (recurring === null || (recurring[1] === undefined && recurring[5] !== undefined)) throw wrong(text);
  const [, firstDay = 'mon', lastDay = 'sun', fromHour, fromMinutes, toHour, toMinutes, zone = defaultZone] = recurring;
  if (zone === undefined) {
    throw new CodedError(
      'FAILED_PRECONDITION',
      `"${text}" names no time zone, and the downscaler's default is not known`,
    );
  }
  const fromMinute = Number(fromHour) * 60 + Number(fromMinutes);
  const toMinute = toHour === undefined ? periodEnd(fromMinute) : Number(toHour) * 60 + Number(toMinutes);
  const isReal = fromMinute < DAY_MINUTES && toMinute <= DAY_MINUTES && Number(fromMinutes) < 60;
  if (!isReal) throw wrong(text);
  return { type: 'recurring', days: daysBetween(firstDay, lastDay, text), fromMinute, toMinute, zone: checkZone(zone) };
}

function periodEnd(fromMinute: number): number {
  return fromMinute >= DAY_MINUTES - DEFAULT_PERIOD_MINUTES ? DAY_MINUTES - 1 : fromMinute + DEFAULT_PERIOD_MINUTES;
}

function daysBetween(first: string, last: string, text: string): number[] {
  const from = WEEKDAYS.indexOf(first.toLowerCase());
  const to = WEEKDAYS.indexOf(last.toLowerCase());
  if (from < 0 || to < 0) throw wrong(text);
  // The downscaler's week begins on Monday: Mon-Sun is all of it, Sun-Mon two days.
  const [start, end] = [(from + 6) % 7, (to + 6) % 7];
  const isIn = (day: number) => (start > end ? day >= start || day <= end : start <= day && day <= end);
  return [0, 1, 2, 3, 4, 5, 6].filter((day) => isIn((day + 6) % 7));
}

function matchesRange(range: TimeRange, atMs: number): boolean {
  if (range.type === 'absolute') return range.fromMs <= atMs && atMs <= range.toMs;
  const local = new ZonedTime(atMs, range.zone);
  const minute = local.hour * 60 + local.minute;
  return range.days.includes(local.weekday) && range.fromMinute <= minute && minute < range.toMinute;
}

function edgeTimes(range: TimeRange, span: { afterMs: number; untilMs: number; edge: 'from' | 'to' }): number[] {
  if (range.type === 'absolute') return [span.edge === 'from' ? range.fromMs : range.toMs];
  const minute = span.edge === 'from' ? range.fromMinute : range.toMinute;
  const days = minute === DAY_MINUTES ? range.days.map((day) => (day + 1) % 7) : range.days;
  const at = minute % DAY_MINUTES;
  const expression = `${at % 60} ${Math.floor(at / 60)} * * ${days.join(',')}`;
  const schedule = parseCron(expression, STANDARD_DIALECT);
  return timesUntil(schedule, { ...span, zone: range.zone, countMax: EDGES_MAX });
}

/** Edges of one range within a horizon: a day has one, a year of days fits. */
const EDGES_MAX = 400;

function wrong(text: string): CodedError {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return new CodedError('INVALID_ARGUMENT', `"${shown}" is no time range such as "Mon-Fri 07:30-20:30 Europe/Berlin"`);
}
