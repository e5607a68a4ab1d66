/**
 * One field of a cron expression, with robfig/cron v3's grammar: lists, ranges, steps, names, `*` and `?`.
 * Quirks are kept on purpose, because other controllers live by them: `5/15` means `5-max/15`, a stepped star is no star
 * any more, and what follows `*-` is not looked at.
 */
import { CodedError } from '../../../core/runtime/errors.ts';

/** The values that a field lets through, and whether it was written as a star (which decides how the days combine). */
export interface CronField {
  /** Indexed by value; `true` where the field matches. */
  readonly allows: readonly boolean[];
  readonly isStar: boolean;
}

/** What a field may hold. */
export interface FieldBounds {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** In the order of an expression with seconds. */
export const FIELD_BOUNDS = {
  second: { name: 'second', min: 0, max: 59, names: [] },
  minute: { name: 'minute', min: 0, max: 59, names: [] },
  hour: { name: 'hour', min: 0, max: 23, names: [] },
  dayOfMonth: { name: 'day of month', min: 1, max: 31, names: [] },
  month: { name: 'month', min: 1, max: 12, names: MONTHS },
  dayOfWeek: { name: 'day of week', min: 0, max: 6, names: WEEKDAYS },
} as const satisfies Record<string, FieldBounds>;

/** Go's `strconv.Atoi` gives up beyond this. */
const INT64_MAX = 9223372036854775807n;

/**
 * @param options `isStepStar`: a star with a step above one still counts as a star (robfig v1; v3 drops it)
 * @throws CodedError INVALID_ARGUMENT naming the field and the part that is wrong
 */
export function parseField(text: string, bounds: FieldBounds, options: { isStepStar: boolean }): CronField {
  const allows = new Array<boolean>(bounds.max + 1).fill(false);
  let isStar = false;
  for (const part of text.split(',').filter((piece) => piece !== '')) {
    const range = parseRange(part, bounds);
    for (let value = range.start; value <= range.end; value += range.step) allows[value] = true;
    isStar ||= range.isStar && (range.step === 1 || options.isStepStar);
  }
  return { allows, isStar };
}

interface Range {
  readonly start: number;
  readonly end: number;
  readonly step: number;
  readonly isStar: boolean;
}

function parseRange(text: string, bounds: FieldBounds): Range {
  const [span = '', stepText, ...more] = text.split('/');
  if (more.length > 0) throw wrong(bounds, text, 'has more than one slash');
  const limits = span.split('-');
  const isStar = limits[0] === '*' || limits[0] === '?';
  const { start, end } = isStar ? { start: bounds.min, end: bounds.max } : parseLimits(limits, text, bounds);
  const step = stepText === undefined ? 1 : parseNumber(stepText, text, bounds);
  const last = stepText !== undefined && limits.length === 1 ? bounds.max : end;
  checkRange({ start, end: last, step, isStar }, text, bounds);
  return { start, end: last, step, isStar };
}

function parseLimits(limits: readonly string[], text: string, bounds: FieldBounds): { start: number; end: number } {
  const [low = '', high, ...more] = limits;
  const start = parseValue(low, text, bounds);
  if (more.length > 0) throw wrong(bounds, text, 'has more than one hyphen');
  return { start, end: high === undefined ? start : parseValue(high, text, bounds) };
}

function checkRange(range: Range, text: string, bounds: FieldBounds): void {
  if (range.start < bounds.min) throw wrong(bounds, text, `begins below ${bounds.min}`);
  if (range.end > bounds.max) throw wrong(bounds, text, `ends above ${bounds.max}`);
  if (range.start > range.end) throw wrong(bounds, text, 'begins after its end (ranges do not wrap)');
  if (range.step === 0) throw wrong(bounds, text, 'has a step of zero');
}

function parseValue(value: string, text: string, bounds: FieldBounds): number {
  const index = bounds.names.indexOf(value.toLowerCase());
  return index >= 0 ? index + bounds.min : parseNumber(value, text, bounds);
}

function parseNumber(value: string, text: string, bounds: FieldBounds): number {
  if (!/^\+?\d{1,30}$/.test(value) || BigInt(value.replace('+', '')) > INT64_MAX) {
    throw wrong(bounds, text, 'is not a number, a name or a range of them');
  }
  return Number(value);
}

function wrong(bounds: FieldBounds, text: string, what: string): CodedError {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return new CodedError('INVALID_ARGUMENT', `The ${bounds.name} field "${shown}" ${what}`);
}
