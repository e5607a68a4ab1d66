import { describe, expect, it } from '@jest/globals';
import { Awareness } from './awareness.ts';
import { pushPullIntervalMs, retransmitLimit, suspicionLeftMs, suspicionTimeoutMs } from './formulas.ts';

describe('formulas', () => {
  // What memberlist v0.5.4 gives with factor 4, a probe interval of 1 s and an exchange every 30 s.
  it.each([
    { members: 1, suspicion: 4_000, retransmit: 4, pushPull: 30_000 },
    { members: 2, suspicion: 4_000, retransmit: 4, pushPull: 30_000 },
    { members: 3, suspicion: 4_000, retransmit: 4, pushPull: 30_000 },
    { members: 10, suspicion: 4_000, retransmit: 8, pushPull: 30_000 },
    { members: 33, suspicion: 6_072, retransmit: 8, pushPull: 60_000 },
    { members: 65, suspicion: 7_248, retransmit: 8, pushPull: 90_000 },
    { members: 100, suspicion: 8_000, retransmit: 12, pushPull: 90_000 },
    { members: 1_000, suspicion: 12_000, retransmit: 16, pushPull: 180_000 },
    { members: 10_000, suspicion: 16_000, retransmit: 20, pushPull: 300_000 },
  ])('give what memberlist gives when there are $members members', ({ members, suspicion, retransmit, pushPull }) => {
    expect(suspicionTimeoutMs(4, members, 1_000)).toBe(suspicion);
    expect(retransmitLimit(4, members)).toBe(retransmit);
    expect(pushPullIntervalMs(30_000, members)).toBe(pushPull);
  });

  it.each([
    { confirmations: 0, wanted: 4, elapsedMs: 2_000, leastMs: 4_000, mostMs: 24_000, left: 22_000 },
    { confirmations: 1, wanted: 4, elapsedMs: 2_000, leastMs: 4_000, mostMs: 24_000, left: 13_386 },
    { confirmations: 2, wanted: 4, elapsedMs: 2_000, leastMs: 4_000, mostMs: 24_000, left: 8_347 },
    { confirmations: 3, wanted: 4, elapsedMs: 2_000, leastMs: 4_000, mostMs: 24_000, left: 4_772 },
    { confirmations: 4, wanted: 4, elapsedMs: 2_000, leastMs: 4_000, mostMs: 24_000, left: 2_000 },
    { confirmations: 1, wanted: 2, elapsedMs: 0, leastMs: 8_000, mostMs: 48_000, left: 22_762 },
  ])('suspicionLeftMs() gives what memberlist gives after $confirmations of $wanted', ({ left, ...facts }) => {
    expect(suspicionLeftMs(facts)).toBe(left);
  });
});

describe('Awareness', () => {
  it('apply() keeps the score within its bounds, and scaleMs() stretches with it', () => {
    const awareness = new Awareness(8);
    awareness.apply(-3);
    expect([awareness.score, awareness.scaleMs(1_000)]).toEqual([0, 1_000]);
    awareness.apply(100);
    expect([awareness.score, awareness.scaleMs(1_000)]).toEqual([7, 8_000]);
  });
});
