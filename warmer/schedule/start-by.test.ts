import { describe, expect, it } from '@jest/globals';
import { expectedRate, type RateMemory, remember } from './rate-memory.ts';
import { startBy } from './start-by.ts';

const MIB = 1024 * 1024;
const LEAD = { marginMs: 300_000, defaultLeadMs: 600_000, bytesMissing: undefined, bytesPerSecond: undefined };

describe('startBy()', () => {
  it.each([
    [{ bytesMissing: 1000, bytesPerSecond: 10 }, 400_000],
    [{ bytesMissing: 0, bytesPerSecond: undefined }, 300_000],
    [{ bytesMissing: 1000, bytesPerSecond: undefined }, 900_000],
    [{ bytesMissing: undefined, bytesPerSecond: 10 }, 900_000],
    [{ bytesMissing: 1000, bytesPerSecond: 0 }, 900_000],
  ])('leaves time with %j', (given, leadMs) => {
    expect(startBy(5_000_000, { ...LEAD, ...given })).toBe(5_000_000 - leadMs);
  });
});

describe('expectedRate()', () => {
  const run = (mib: number, seconds: number) => ({ atMs: 0, bytes: mib * MIB, durationMs: seconds * 1000 });
  const remembered = (...runs: ReturnType<typeof run>[]) => runs.reduce<RateMemory>(remember, []);

  it('knows nothing before a run that moved bytes', () => {
    expect(expectedRate(remembered())).toBeUndefined();
    expect(expectedRate(remembered(run(1, 60), run(100, 0)))).toBeUndefined();
  });

  it('counts on the slower of the median and the whole', () => {
    expect(expectedRate(remembered(run(100, 1), run(100, 1), run(100, 2)))).toBe(75 * MIB);
    expect(expectedRate(remembered(run(100, 1), run(100, 10), run(900, 1)))).toBeCloseTo((1100 * MIB) / 12);
  });

  it('forgets the oldest runs', () => {
    const slow = Array.from({ length: 5 }, () => run(20, 20));
    const fast = Array.from({ length: 20 }, () => run(1000, 10));
    expect(expectedRate(remembered(...slow, ...fast))).toBe(100 * MIB);
  });
});
