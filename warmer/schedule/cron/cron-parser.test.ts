import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CodedError } from '../../../core/runtime/errors.ts';
import { CRON_HPA_DIALECT, FIELDS_ONLY_DIALECT, SECONDS_DIALECT, STANDARD_DIALECT } from './cron-dialect.ts';
import { parseCron } from './cron-parser.ts';

const WRONG: readonly (readonly [string, string])[] = [
  ['', 'It is empty'],
  ['0 0 * * 7', 'day of week field "7" ends above 6'],
  ['* * * * FRI-MON', 'ranges do not wrap'],
  ['0 22-2 * * *', 'ranges do not wrap'],
  ['0 0 L * *', 'day of month field "L" is not a number'],
  ['0 0 15W * *', 'is not a number'],
  ['0 0 * * 5#2', 'is not a number'],
  ['0 0 0 * * *', 'It has 6 fields instead of 5'],
  ['0 0 * *', 'It has 4 fields instead of 5'],
  ['0 0 * JANUARY *', 'is not a number'],
  ['0 0 0 * *', 'begins below 1'],
  ['*/0 * * * *', 'has a step of zero'],
  ['1/2/3 * * * *', 'more than one slash'],
  ['1-2-3 * * * *', 'more than one hyphen'],
  ['-1 * * * *', 'is not a number'],
  ['1.5 * * * *', 'is not a number'],
  ['99999999999999999999 * * * *', 'is not a number'],
  ['@fortnightly', 'descriptor is not known'],
  ['@every', 'descriptor is not known'],
  ['@every soon', 'is not one of Go'],
  ['@date 2026-11-21 20:00:00', 'descriptor is not known'],
  ['TZ=Europe/Berlin', 'Nothing follows its time zone'],
  ['TZ=Mars/Olympus 0 6 * * *', 'Time zone "Mars/Olympus" does not exist'],
  ['every day at six', 'It has 4 fields instead of 5'],
  [`${'1,'.repeat(600)} * * * *`, 'It is too long'],
];

describe('parseCron()', () => {
  it.each(WRONG)('refuses "%s" and says why', (expression, reason) => {
    expect(() => parseCron(expression, STANDARD_DIALECT)).toThrow(reason);
  });

  it('takes a zone from its prefix', () => {
    expect(parseCron('CRON_TZ=Asia/Kolkata 0 6 * * *', STANDARD_DIALECT)).toMatchObject({ zone: 'Asia/Kolkata' });
    expect(parseCron('TZ= 0 6 * * *', FIELDS_ONLY_DIALECT)).toMatchObject({ zone: 'UTC' });
    expect(parseCron('TZ=Local 0 6 * * *', STANDARD_DIALECT)).not.toHaveProperty('zone');
    expect(() => parseCron('TZ=UTC 0 0 6 * * *', CRON_HPA_DIALECT)).toThrow('7 fields');
  });

  it('takes descriptors only where the dialect has them', () => {
    expect(parseCron('@every 1h30m10.9s', STANDARD_DIALECT)).toEqual({ type: 'delay', delayMs: 5_410_000 });
    expect(parseCron('@every 10ms', STANDARD_DIALECT)).toEqual({ type: 'delay', delayMs: 1000 });
    expect(parseCron('@hourly', STANDARD_DIALECT)).toMatchObject({ minute: { isStar: false }, hour: { isStar: true } });
    expect(() => parseCron('@hourly', FIELDS_ONLY_DIALECT)).toThrow('Descriptors are not accepted');
    expect(parseCron('@date 2026-11-21 20:30:15', CRON_HPA_DIALECT)).toMatchObject({ dayOfWeek: { isStar: true } });
    expect(() => parseCron('@date 2026-02-30 20:30:15', CRON_HPA_DIALECT)).toThrow('Its date is not');
  });

  it('loses the star of a stepped star, but not with step one, nor in the first version', () => {
    const star = (expression: string) => parseCron(expression, STANDARD_DIALECT);
    expect(star('0 0 */2 * 1')).toMatchObject({ dayOfMonth: { isStar: false } });
    expect(star('0 0 */1 * 1')).toMatchObject({ dayOfMonth: { isStar: true } });
    expect(star('0 0 ? * 1')).toMatchObject({ dayOfMonth: { isStar: true } });
    expect(parseCron('0 0 0 */2 * 1', CRON_HPA_DIALECT)).toMatchObject({ dayOfMonth: { isStar: true } });
  });

  it('gives a schedule or a CodedError for any text at all', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[-0-9*?/,a-z@ ]{0,40}$/));
    fc.assert(
      fc.property(text, (expression) => {
        try {
          expect(parseCron(expression, SECONDS_DIALECT).type).toMatch(/calendar|delay/);
        } catch (error) {
          expect(error).toBeInstanceOf(CodedError);
        }
      }),
    );
  });
});
