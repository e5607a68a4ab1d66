/** Trying again: how long to wait, and how often. Time and chance come in. */
import type { Clock } from './clock.ts';

export interface Backoff {
  /** The longest wait before the second attempt; it doubles from there, milliseconds. */
  baseMs: number;
  /** The longest wait of all, milliseconds. */
  capMs: number;
}

/**
 * The wait before another attempt after `failures` failures (one or more), in milliseconds: "full jitter", evenly
 * between zero and the doubled base, so that a crowd that failed together does not come back together.
 * `random` gives numbers from 0 to just below 1. (AWS Architecture Blog, "Exponential Backoff And Jitter")
 */
export function backoffMs(failures: number, backoff: Backoff, random: () => number): number {
  const ceiling = Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.max(0, failures - 1));
  return Math.floor(random() * ceiling);
}

export interface RetryOptions {
  /** Attempts in all, the first included. */
  attemptsMax: number;
  clock: Clock;
  signal?: AbortSignal;
  /** How long to wait after this failure, milliseconds; undefined when trying again is of no use. */
  waitMs(error: unknown, failures: number): number | undefined;
}

/** Runs `attempt` until it succeeds. Errors: the last attempt's; the signal's reason when aborted while waiting. */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      const waitMs = failures < options.attemptsMax ? options.waitMs(error, failures) : undefined;
      if (waitMs === undefined || options.signal?.aborted) throw error;
      await options.clock.sleep(waitMs, options.signal === undefined ? {} : { signal: options.signal });
    }
  }
}
