import { describe, expect, it } from '@jest/globals';
import { checkZone, isZone } from './zone-name.ts';

describe('isZone()', () => {
  it.each(['UTC', 'Europe/Berlin', 'US/Pacific', 'America/Argentina/Buenos_Aires', 'Asia/Kolkata', 'EST', 'Etc/GMT+5'])(
    'knows %s',
    (name) => expect(isZone(name)).toBe(true),
  );

  it.each([
    '',
    'Local',
    'Mars/Olympus',
    'europe/berlin',
    'Europe/berlin',
    'GMT+8',
    '+01:00',
    'PST',
    'utc',
    '../UTC',
    'IST',
  ])('refuses "%s", as Go does', (name) => expect(isZone(name)).toBe(false));
});

describe('checkZone()', () => {
  it('names the zone when there is none of that name', () => {
    expect(() => checkZone('Europe/Atlantis')).toThrow('Time zone "Europe/Atlantis" does not exist');
  });
});
