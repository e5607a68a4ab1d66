import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../../core/runtime/clock.ts';
import { createWallTime } from './wall-time.ts';

describe('createWallTime()', () => {
  it('has a fraction and stays within the millisecond of the wall clock', () => {
    const now = createWallTime(systemClock);
    const fractions = new Set<number>();
    for (let count = 0; count < 1000; count += 1) {
      const before = Date.now();
      const time = now();
      expect(time).toBeGreaterThanOrEqual(before);
      expect(time).toBeLessThan(Date.now() + 1);
      fractions.add(time % 1);
    }
    expect(fractions.size).toBeGreaterThan(10);
  });

  it('follows a wall clock that is set', () => {
    let wall = 5000;
    const clock = { ...systemClock, now: () => wall, monotonicMs: () => 100 };
    const now = createWallTime(clock);
    for (const time of [5000, 9_000_000, 20]) {
      wall = time;
      expect(Math.floor(now())).toBe(time);
    }
  });
});
