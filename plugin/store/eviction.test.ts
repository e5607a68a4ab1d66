import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { bytesToEvict, chooseVictims, type EvictionCandidate, fitsCache } from './eviction.ts';

const LIMITS = { capacityBytes: 1000, highWatermark: 0.9, lowWatermark: 0.5 };

function candidate(name: string, bytes: number, usedAtMs: number): EvictionCandidate {
  return { kind: 'blob', digest: digestOf(name), bytes, usedAtMs };
}

describe('bytesToEvict()', () => {
  it.each([
    { usedBytes: 900, missingFreeBytes: 0, wanted: 0 },
    { usedBytes: 901, missingFreeBytes: 0, wanted: 401 },
    { usedBytes: 100, missingFreeBytes: -50, wanted: 0 },
    { usedBytes: 100, missingFreeBytes: 70, wanted: 70 },
    { usedBytes: 1000, missingFreeBytes: 700, wanted: 700 },
  ])('asks for $wanted with $usedBytes used and $missingFreeBytes missing', ({ wanted, ...state }) => {
    expect(bytesToEvict(state, LIMITS)).toBe(wanted);
  });
});

describe('chooseVictims()', () => {
  const all = [candidate('new', 10, 30), candidate('old', 10, 10), candidate('middle', 10, 20)];

  it('takes the least recently used first and no more than needed', () => {
    expect(chooseVictims(all, 11).map((victim) => victim.usedAtMs)).toEqual([10, 20]);
    expect(chooseVictims(all, 10).map((victim) => victim.usedAtMs)).toEqual([10]);
  });

  it('takes nothing for nothing, and all when all is not enough', () => {
    expect(chooseVictims(all, 0)).toEqual([]);
    expect(chooseVictims(all, 1000)).toHaveLength(3);
  });
});

describe('fitsCache()', () => {
  it('refuses what would be evicted at once', () => {
    expect(fitsCache(900, LIMITS)).toBe(true);
    expect(fitsCache(901, LIMITS)).toBe(false);
  });
});
