import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pickOverZones } from './pick-over-zones.ts';

const candidate = (zone: string, score: number, rank = 0) => ({ zone, score, rank, name: `${zone}${score}${rank}` });
const names = (count: number, ...candidates: ReturnType<typeof candidate>[]) =>
  pickOverZones(candidates, count).map(({ name }) => name);

describe('pickOverZones()', () => {
  it('takes the best of each zone before the second of any', () => {
    const all = [
      candidate('a', 9),
      candidate('a', 8),
      candidate('a', 7),
      candidate('b', 1),
      candidate('c', 2, 1),
      candidate('c', 2, 5),
    ];
    expect(names(3, ...all)).toEqual(['a90', 'c25', 'b10']);
    expect(names(5, ...all)).toEqual(['a90', 'c25', 'b10', 'a80', 'c21']);
    expect(names(9, ...all)).toHaveLength(6);
    expect(names(0, ...all)).toEqual([]);
    expect(names(2)).toEqual([]);
  });

  it('never differs by more than one between zones that have more to give', () => {
    const made = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(9)), { maxLength: 60 });
    fc.assert(
      fc.property(made, fc.nat(20), (pairs, count) => {
        const all = pairs.map(([zone, score], rank) => candidate(zone, score, rank));
        const picked = pickOverZones(all, count);
        expect(picked).toHaveLength(Math.min(count, all.length));
        expect(new Set(picked).size).toBe(picked.length);
        const taken = (zone: string) => picked.filter((one) => one.zone === zone).length;
        const unspent = ['a', 'b', 'c', 'd'].filter(
          (zone) => all.filter((one) => one.zone === zone).length > taken(zone),
        );
        const most = Math.max(0, ...['a', 'b', 'c', 'd'].map(taken));
        for (const zone of unspent) expect(taken(zone)).toBeGreaterThanOrEqual(most - 1);
      }),
    );
  });
});
