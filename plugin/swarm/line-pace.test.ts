import { describe, expect, it } from '@jest/globals';
import { LinePace } from './line-pace.ts';

const create = () => new LinePace({ downloadsMax: 5, nowMs: 0 });

describe('LinePace', () => {
  it('isSlow when even the quickest of the last pieces took long, and not for one slow sender', () => {
    const pace = create();
    expect(pace.isSlow).toBe(false);
    for (const ms of [900, 30_000, 30_000]) pace.pieceTook(ms);
    expect([pace.isSlow, pace.pieceMs]).toEqual([false, 900]);
    for (let piece = 0; piece < 5; piece += 1) pace.pieceTook(20_000);
    expect([pace.isSlow, pace.pieceMs]).toEqual([true, 20_000]);
  });

  it('slots() leaves a piece from the source its share, and never gives none', () => {
    const pace = create();
    expect([0, 2, 9].map((leased) => pace.slots(leased))).toEqual([5, 3, 1]);
  });

  it('isFlowing() while bytes come, longer where every piece takes long', () => {
    const pace = create();
    expect([2_000, 2_001].map((nowMs) => pace.isFlowing(nowMs))).toEqual([true, false]);
    pace.pieceTook(20_000);
    expect([10_000, 10_001].map((nowMs) => pace.isFlowing(nowMs))).toEqual([true, false]);
  });

  it('busy() is something to wait for, though not for ever', () => {
    const pace = create();
    expect(pace.busy(19_000)).toBe(true);
    expect([pace.isFlowing(20_000), pace.isFlowing(21_001)]).toEqual([true, false]);
    expect(pace.busy(60_001)).toBe(false);
  });
});
