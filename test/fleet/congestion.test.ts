import { describe, expect, it } from '@jest/globals';
import { congestionOf } from './congestion.ts';

describe('congestionOf()', () => {
  it.each([
    ['reno cubic\n', 'cubic'],
    ['reno bbr\n', 'reno'],
    ['bbr2 dctcp', 'reno'],
    ['', 'reno'],
  ])('of what is allowed in %j takes %s', (allowed, chosen) => {
    expect(congestionOf(allowed)).toBe(chosen);
  });
});
