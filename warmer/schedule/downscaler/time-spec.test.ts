import { describe, expect, it } from '@jest/globals';
import { edgesOf, matchesTimeSpec, parseTimeSpec } from './time-spec.ts';

const at = (text: string) => Date.parse(`2026-11-${text}:00Z`);
const matches = (spec: string, text: string) => matchesTimeSpec(parseTimeSpec(spec, undefined), at(text));

describe('matchesTimeSpec()', () => {
  it.each([
    // 2026-11-21 is a Saturday; Berlin is an hour ahead.
    ['Mon-Fri 07:30-20:30 Europe/Berlin', '23T06:30', true],
    ['Mon-Fri 07:30-20:30 Europe/Berlin', '23T06:29', false],
    ['Mon-Fri 07:30-20:30 Europe/Berlin', '23T19:30', false],
    ['Mon-Fri 07:30-20:30 Europe/Berlin', '21T12:00', false],
    ['Sun-Fri 00:00-24:00 UTC', '22T23:59', true],
    ['Sun-Fri 00:00-24:00 UTC', '21T12:00', false],
    ['Sat-Mon 10:00-11:00 UTC', '23T10:00', true],
    ['Sat-Mon 10:00-11:00 UTC', '24T10:00', false],
    ['Mon-Fri 08:00-09:00 UTC, Sat-Sat 10:00-11:00 UTC', '21T10:30', true],
    ['08:00 UTC', '21T08:29', true],
    ['08:00 UTC', '21T08:30', false],
    ['Sat-Sat 23:45 UTC', '21T23:58', true],
    ['2026-11-21T00:00:00+01:00-2026-11-21T12:00:00+01:00', '20T23:00', true],
    ['2026-11-21T00:00:00+01:00-2026-11-21T12:00:00+01:00', '21T11:01', false],
    ['always', '21T00:00', true],
    ['Never', '21T00:00', false],
  ])('reads "%s" at %s', (spec, time, expected) => expect(matches(spec, time)).toBe(expected));
});

describe('parseTimeSpec()', () => {
  it.each([
    '',
    'noon',
    'Mon-Fri',
    'Mon-Fry 07:30-20:30 UTC',
    'Mon-Fri 7:30-20:30 UTC',
    'Mon-Fri 25:00-26:00 UTC',
    '08:00-10:00 UTC',
    'Mon-Fri 07:30-20:30 Mars/Olympus',
  ])('refuses "%s"', (spec) => expect(() => parseTimeSpec(spec, 'UTC')).toThrow(/no time range|does not exist/));

  it('takes the default zone when there is one', () => {
    expect(parseTimeSpec('Mon-Fri 07:30-20:30', 'Asia/Tokyo')).toMatchObject([{ zone: 'Asia/Tokyo' }]);
    expect(() => parseTimeSpec('Mon-Fri 07:30-20:30', undefined)).toThrow('names no time zone');
  });
});

describe('edgesOf()', () => {
  it('gives beginnings and ends, a day later for one at midnight', () => {
    const span = { afterMs: at('20T00:00'), untilMs: at('24T00:00') };
    const edges = edgesOf(parseTimeSpec('Sat-Sun 22:00-24:00 UTC', undefined), span);
    expect(edges.starts).toEqual([at('21T22:00'), at('22T22:00')]);
    expect(edges.ends).toEqual([at('22T00:00'), at('23T00:00')]);
  });
});
