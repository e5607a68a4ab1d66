import { describe, expect, it } from '@jest/globals';
import type { Clock } from './clock.ts';
import { backoffMs, retry } from './retry.ts';

/** A clock whose sleeps take no time and are written down. */
function recordingClock(): { clock: Clock; slept: number[] } {
  const slept: number[] = [];
  const sleep = async (ms: number) => {
    slept.push(ms);
  };
  return { slept, clock: { now: () => 0, monotonicMs: () => 0, sleep } };
}

describe('backoffMs()', () => {
  it('doubles up to its cap and spreads evenly below', () => {
    const backoff = { baseMs: 100, capMs: 450 };
    expect([1, 2, 3, 4, 99].map((failures) => backoffMs(failures, backoff, () => 0.5))).toEqual([
      50, 100, 200, 225, 225,
    ]);
    expect(backoffMs(3, backoff, () => 0)).toBe(0);
  });
});

describe('retry()', () => {
  it('tries until it succeeds, waiting as told', async () => {
    const { clock, slept } = recordingClock();
    let attempts = 0;
    const attempt = async () => {
      attempts += 1;
      if (attempts < 3) throw new Error('not yet');
      return 'done';
    };
    const waitMs = (_: unknown, failures: number) => failures * 10;
    await expect(retry(attempt, { attemptsMax: 5, clock, waitMs })).resolves.toBe('done');
    expect(slept).toEqual([10, 20]);
  });

  it('gives up after its attempts, or at once when waiting is of no use', async () => {
    const { clock, slept } = recordingClock();
    let attempts = 0;
    const attempt = async () => {
      attempts += 1;
      throw new Error(`failure ${attempts}`);
    };
    await expect(retry(attempt, { attemptsMax: 2, clock, waitMs: () => 1 })).rejects.toThrow('failure 2');
    await expect(retry(attempt, { attemptsMax: 9, clock, waitMs: () => undefined })).rejects.toThrow('failure 3');
    expect(slept).toEqual([1]);
  });
});
