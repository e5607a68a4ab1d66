import { describe, expect, it } from '@jest/globals';
import { parseRateLimit, parseRetryAfter } from './rate-limit.ts';

describe('parseRetryAfter()', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');

  it.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
    ['soon', undefined],
    ['-5', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads %s as %s ms', (value, wanted) => {
    expect(parseRetryAfter(value, now)).toBe(wanted);
  });
});

describe('parseRateLimit()', () => {
  it('reads what Docker Hub sends', () => {
    expect(parseRateLimit({ 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '93;w=21600' })).toEqual({
      limit: 100,
      remaining: 93,
      windowSeconds: 21600,
    });
    expect(parseRateLimit({ 'ratelimit-limit': '5', 'ratelimit-remaining': '0' })).toEqual({ limit: 5, remaining: 0 });
  });

  it('says nothing when a header is missing or bad', () => {
    expect(parseRateLimit({})).toBeUndefined();
    expect(parseRateLimit({ 'ratelimit-limit': '100' })).toBeUndefined();
    expect(parseRateLimit({ 'ratelimit-limit': 'x', 'ratelimit-remaining': '1' })).toBeUndefined();
  });
});
