import { describe, expect, it } from '@jest/globals';
import { CRON_HPA_DIALECT, SECONDS_DIALECT, STANDARD_DIALECT } from './cron-dialect.ts';
import { parseCron } from './cron-parser.ts';
import { nextTime, timesUntil } from './next-time.ts';

/** The instant from which the reference vectors were taken. */
const FROM = Date.parse('2026-11-21T20:40:00Z');

function firings(expression: string, options: { from?: string; zone?: string; count?: number } = {}): string[] {
  const afterMs = options.from === undefined ? FROM : Date.parse(options.from);
  const schedule = parseCron(expression, STANDARD_DIALECT);
  const span = { afterMs, untilMs: Number.MAX_SAFE_INTEGER, zone: options.zone ?? 'UTC', countMax: options.count ?? 3 };
  return timesUntil(schedule, span).map((time) => new Date(time).toISOString().replace('.000Z', 'Z'));
}

const days = (...names: string[]) => names.map((name) => `${name}T00:00:00Z`);

describe('nextTime()', () => {
  it.each([
    ['0 0 13 * 5', days('2026-11-27', '2026-12-04', '2026-12-11')],
    ['0 0 */2 * 1', days('2026-11-23', '2026-11-25', '2026-11-27')],
    ['0 0 */1 * 1', days('2026-11-23', '2026-11-30', '2026-12-07')],
    ['0 0 1-31 * 1', days('2026-11-22', '2026-11-23', '2026-11-24')],
    ['0 0 ? * 1', days('2026-11-23', '2026-11-30', '2026-12-07')],
    ['5/15 * * * *', ['2026-11-21T20:50:00Z', '2026-11-21T21:05:00Z', '2026-11-21T21:20:00Z']],
    ['*/61 * * * *', ['2026-11-21T21:00:00Z', '2026-11-21T22:00:00Z', '2026-11-21T23:00:00Z']],
    ['@every 1h', ['2026-11-21T21:40:00Z', '2026-11-21T22:40:00Z', '2026-11-21T23:40:00Z']],
    ['@hourly', ['2026-11-21T21:00:00Z', '2026-11-21T22:00:00Z', '2026-11-21T23:00:00Z']],
    ['TZ=Asia/Kolkata 0 6 * * *', ['2026-11-22T00:30:00Z', '2026-11-23T00:30:00Z', '2026-11-24T00:30:00Z']],
    ['CRON_TZ=Asia/Kolkata 0 6 * * *', ['2026-11-22T00:30:00Z', '2026-11-23T00:30:00Z', '2026-11-24T00:30:00Z']],
    ['0 0 29 2 *', days('2028-02-29')],
  ])('fires like robfig for "%s"', (expression, expected) => {
    expect(firings(expression, { count: expected.length })).toEqual(expected);
  });

  it('never fires for a day that does not exist, nor for an empty field', () => {
    expect(firings('0 0 30 2 *')).toEqual([]);
    expect(firings(', 0 1 1 *')).toEqual([]);
  });

  it('skips a local time that daylight saving leaves out', () => {
    const spring = { from: '2026-03-28T12:00:00Z', zone: 'Europe/Berlin', count: 1 };
    expect(firings('30 2 * * *', spring)).toEqual(['2026-03-30T00:30:00Z']);
  });

  it('fires twice for a local time that daylight saving repeats', () => {
    const autumn = { from: '2026-10-24T12:00:00Z', zone: 'Europe/Berlin', count: 3 };
    expect(firings('30 2 * * *', autumn)).toEqual([
      '2026-10-25T00:30:00Z',
      '2026-10-25T01:30:00Z',
      '2026-10-26T01:30:00Z',
    ]);
  });

  it('misses no hour when daylight saving ends', () => {
    const autumn = { from: '2026-10-24T22:30:00Z', zone: 'Europe/Berlin', count: 4 };
    expect(firings('0 * * * *', autumn).map((time) => time.slice(11, 13))).toEqual(['23', '00', '01', '02']);
  });

  it('fires strictly after the given time', () => {
    const everySecond = parseCron('* * * * * *', SECONDS_DIALECT);
    expect(nextTime(everySecond, 1000, 'UTC')).toBe(2000);
    expect(nextTime(everySecond, 1999, 'UTC')).toBe(2000);
    expect(nextTime(parseCron('@every 5s', STANDARD_DIALECT), 1999, 'UTC')).toBe(6000);
  });

  it('comes again each year for a date without its year', () => {
    const date = parseCron('@date 2020-10-27 21:54:00', CRON_HPA_DIALECT);
    expect(nextTime(date, FROM, 'Asia/Shanghai')).toBe(Date.parse('2027-10-27T13:54:00Z'));
  });

  it('ends where robfig never does, on the day that Samoa lost', () => {
    const afterMs = Date.parse('2011-12-20T00:00:00Z');
    expect(nextTime(parseCron('14 0 6 * *', STANDARD_DIALECT), afterMs, 'Pacific/Apia')).toBeUndefined();
  });
});
