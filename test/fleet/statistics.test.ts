import { describe, expect, it } from '@jest/globals';
import { least, median, rounded, shareOfLink, sum } from './statistics.ts';

describe('median()', () => {
  it('is the middle of an odd number and between the middles of an even one, in whatever order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([10, 1, 2, 4])).toBe(3);
    expect(median([7])).toBe(7);
    expect(median([])).toBeUndefined();
  });
});

describe('least()', () => {
  it('is the smallest, if there is one', () => {
    expect(least([3, 2, 8])).toBe(2);
    expect(least([])).toBeUndefined();
  });
});

describe('sum()', () => {
  it('is nothing of none', () => {
    expect([sum([]), sum([1, 2, 3])]).toEqual([0, 6]);
  });
});

describe('shareOfLink()', () => {
  it('is 1 when the link was full all the time', () => {
    expect(shareOfLink(25_000_000, 2, 12_500_000)).toBe(1);
    expect(shareOfLink(25_000_000, 4, 12_500_000)).toBe(0.5);
  });
});

describe('rounded()', () => {
  it('keeps three decimals', () => {
    expect(rounded(0.123_456)).toBe(0.123);
  });
});
