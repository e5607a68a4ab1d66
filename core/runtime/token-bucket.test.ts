import { describe, expect, it } from '@jest/globals';
import { TokenBucket } from './token-bucket.ts';

describe('take()', () => {
  it('lets a burst pass and makes the rest wait by the rate', () => {
    const bucket = new TokenBucket(1_000_000);
    expect(bucket.take(250_000, 0)).toBe(0);
    expect(bucket.take(100_000, 0)).toBe(100);
    expect(bucket.take(100_000, 50)).toBe(150);
    expect(bucket.take(0, 200)).toBe(0);
  });

  it('holds its rate over a long time, whoever takes', () => {
    const bucket = new TokenBucket(8_000_000);
    let nowMs = 0;
    for (let taken = 0; taken < 80_000_000; taken += 65_536) nowMs += bucket.take(65_536, nowMs);
    expect(nowMs).toBeGreaterThan(9_500);
    expect(nowMs).toBeLessThan(10_100);
  });

  it('saves up no more than its burst', () => {
    const bucket = new TokenBucket(1_000);
    expect(bucket.take(0, 0)).toBe(0);
    expect(bucket.take(500, 1_000_000)).toBe(250);
  });
});
