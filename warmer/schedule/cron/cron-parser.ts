/** Cron expressions as robfig/cron reads them (v3 at bc59245 `parser.go`; its v1 for one dialect). Pure. */
import { CodedError, messageOf } from '../../../core/runtime/errors.ts';
import type { CronDialect } from './cron-dialect.ts';
import { type CronField, FIELD_BOUNDS, parseField } from './cron-field.ts';
import type { CalendarSchedule, CronSchedule } from './cron-schedule.ts';
import { parseGoDuration } from '../../../core/runtime/go-duration.ts';
import { checkZone } from './zone-name.ts';

/** Longer ones are not cron; it also bounds what an error quotes. */
const EXPRESSION_LENGTH_MAX = 1024;
/** What Go's `strings.Fields` splits at. */
const SPACES = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

/** Each descriptor as the six fields that it stands for. */
const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 0 1 1 *',
  '@annually': '0 0 0 1 1 *',
  '@monthly': '0 0 0 1 * *',
  '@weekly': '0 0 0 * * 0',
  '@daily': '0 0 0 * * *',
  '@midnight': '0 0 0 * * *',
  '@hourly': '0 0 * * * *',
};

/**
 * @throws CodedError INVALID_ARGUMENT quoting the expression and saying what is wrong with it
 */
export function parseCron(expression: string, dialect: CronDialect): CronSchedule {
  try {
    return parse(expression, dialect);
  } catch (error) {
    const shown = expression.length > 100 ? `${expression.slice(0, 100)}…` : expression;
    throw new CodedError('INVALID_ARGUMENT', `"${shown}" is not a cron expression: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function parse(expression: string, dialect: CronDialect): CronSchedule {
  if (expression.length === 0) throw new CodedError('INVALID_ARGUMENT', 'It is empty');
  if (expression.length > EXPRESSION_LENGTH_MAX) throw new CodedError('INVALID_ARGUMENT', 'It is too long');
  const { zone, rest } = dialect.hasZonePrefix ? splitZone(expression) : { zone: undefined, rest: expression };
  if (rest.startsWith('@')) return parseDescriptor(rest, zone, dialect);
  return calendar(sixFields(rest, dialect), zone, dialect);
}

function splitZone(expression: string): { zone: string | undefined; rest: string } {
  if (!/^(CRON_)?TZ=/.test(expression)) return { zone: undefined, rest: expression };
  const space = expression.indexOf(' ');
  if (space < 0) throw new CodedError('INVALID_ARGUMENT', 'Nothing follows its time zone');
  const zone = expression.slice(expression.indexOf('=') + 1, space);
  return { zone: zoneOfPrefix(zone), rest: trimSpaces(expression.slice(space)) };
}

/** Go loads "" as UTC; "Local" is the zone of whoever asks, as when there is no prefix. */
function zoneOfPrefix(zone: string): string | undefined {
  if (zone === 'Local') return undefined;
  return zone === '' ? 'UTC' : checkZone(zone);
}

function trimSpaces(text: string): string {
  return text.split(SPACES).filter(Boolean).join(' ');
}

function sixFields(text: string, dialect: CronDialect): string[] {
  const fields = text.split(SPACES).filter(Boolean);
  const most = dialect.hasSeconds ? 6 : 5;
  const least = dialect.isDayOfWeekOptional ? most - 1 : most;
  if (fields.length < least || fields.length > most) {
    const wanted = least === most ? `${most}` : `${least} or ${most}`;
    throw new CodedError('INVALID_ARGUMENT', `It has ${fields.length} fields instead of ${wanted}`);
  }
  return [...(dialect.hasSeconds ? [] : ['0']), ...fields, ...(fields.length < most ? ['*'] : [])];
}

function calendar(fields: readonly string[], zone: string | undefined, dialect: CronDialect): CalendarSchedule {
  const [second = '', minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = fields;
  const field = (text: string, name: keyof typeof FIELD_BOUNDS): CronField =>
    parseField(text, FIELD_BOUNDS[name], { isStepStar: dialect.isFirstVersion });
  return {
    type: 'calendar',
    second: field(second, 'second'),
    minute: field(minute, 'minute'),
    hour: field(hour, 'hour'),
    dayOfMonth: field(dayOfMonth, 'dayOfMonth'),
    month: field(month, 'month'),
    dayOfWeek: field(dayOfWeek, 'dayOfWeek'),
    ...(zone === undefined ? {} : { zone }),
    isMidnightCorrected: !dialect.isFirstVersion,
  };
}

function parseDescriptor(text: string, zone: string | undefined, dialect: CronDialect): CronSchedule {
  if (!dialect.hasDescriptors) throw new CodedError('INVALID_ARGUMENT', 'Descriptors are not accepted here');
  const fields = DESCRIPTORS[text];
  if (fields !== undefined) return calendar(fields.split(' '), zone, dialect);
  if (text.startsWith('@every ')) return every(text.slice('@every '.length));
  if (text.startsWith('@date ') && dialect.hasDates) return date(text.slice('@date '.length), dialect);
  throw new CodedError('INVALID_ARGUMENT', 'The descriptor is not known');
}

function every(duration: string): CronSchedule {
  const ms = Math.max(parseGoDuration(duration), 1000);
  return { type: 'delay', delayMs: ms - (ms % 1000) };
}

/** The year is read and dropped, as ringtail/go-cron does: without `runOnce` it comes again each year. */
function date(text: string, dialect: CronDialect): CronSchedule {
  const match = /^(\d{4})-(\d{2})-(\d{2}) (\d{1,2}):(\d{2}):(\d{2})(?:[.,]\d+)?$/.exec(text);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (match ?? []).slice(1).map(Number);
  const at = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const isReal = at.getUTCMonth() === month - 1 && at.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (match === null || !isReal) {
    throw new CodedError('INVALID_ARGUMENT', 'Its date is not of the form 2006-01-02 15:04:05');
  }
  return calendar([second, minute, hour, day, month, '*'].map(String), undefined, dialect);
}
