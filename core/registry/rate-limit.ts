/** What registries say of how often they may be asked (RFC 9110, section 10.2.3; Docker Hub's rate limit headers). */
import type { RateLimit } from './registry-client.ts';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Reads `Retry-After`, in seconds or as a date; milliseconds from `nowMs`, zero at least; undefined when absent or bad. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // Only what has a letter is a date: Date.parse takes "-5" for a year.
  const at = /[A-Za-z]/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}

/** Reads `ratelimit-limit: 100;w=21600` and `ratelimit-remaining: 93;w=21600`; undefined when either is missing. */
export function parseRateLimit(headers: Headers): RateLimit | undefined {
  const limit = parsePart(headers['ratelimit-limit']);
  const remaining = parsePart(headers['ratelimit-remaining']);
  if (limit === undefined || remaining === undefined) return undefined;
  const windowSeconds = remaining.windowSeconds ?? limit.windowSeconds;
  return { limit: limit.count, remaining: remaining.count, ...(windowSeconds === undefined ? {} : { windowSeconds }) };
}

function parsePart(value: string | string[] | undefined): { count: number; windowSeconds?: number } | undefined {
  const found = typeof value === 'string' ? /^\s*(\d{1,12})\s*(?:;\s*w=(\d{1,12}))?/.exec(value) : null;
  if (found === null) return undefined;
  return { count: Number(found[1]), ...(found[2] === undefined ? {} : { windowSeconds: Number(found[2]) }) };
}
