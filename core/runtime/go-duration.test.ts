import { describe, expect, it } from '@jest/globals';
import { parseGoDuration } from './go-duration.ts';

describe('parseGoDuration()', () => {
  it.each([
    ['0', 0],
    ['1h30m', 5_400_000],
    ['-1.5h', -5_400_000],
    ['+10s', 10_000],
    ['.5m', 30_000],
    ['1.s', 1000],
    ['300ms', 300],
    ['2us', 0.002],
    ['1h1h', 7_200_000],
  ])('reads "%s"', (text, expected) => expect(parseGoDuration(text)).toBe(expected));

  it.each(['', '5', 'h', '.h', '3d', '1h 30m', '1e3s', '2562048h', '--1s', '1.2.3s'])('refuses "%s"', (text) => {
    expect(() => parseGoDuration(text)).toThrow('is not one of Go');
  });
});
