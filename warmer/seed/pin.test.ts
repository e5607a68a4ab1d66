import { describe, expect, it } from '@jest/globals';
import { pinFor } from './pin.ts';

const NOW = Date.parse('2026-11-21T07:40:00Z');

describe('pinFor()', () => {
  it.each([
    ['an event', NOW + 1_200_000, NOW, 7_200_000, '2026-11-21T10:00:00Z'],
    ['no event', undefined, NOW, 7_200_000, '2026-11-21T10:00:00Z'],
    ['one that is over', NOW - 60_000, NOW, 7_200_000, '2026-11-21T10:00:00Z'],
    ['a short pin', undefined, NOW, 600_000, '2026-11-21T07:50:00Z'],
    ['a clock that was passed in', NOW + 1_200_000, NOW + 86_400_000, 7_200_000, '2026-11-22T10:00:00Z'],
  ])('of %s ends late enough, and is named after its end', (_, dueMs, nowMs, pinMs, until) => {
    const pin = pinFor(dueMs, { planNowMs: NOW, nowMs, pinMs });
    expect(pin.until).toBe(until);
    expect(pin.name).toBe(`warm-${until.replace(/[-:]/g, '')}`);
  });
});
