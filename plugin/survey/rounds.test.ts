import { describe, expect, it } from '@jest/globals';
import { dueMembers } from './rounds.ts';
import type { MemberFacts, Surveyed } from './survey.ts';

const FACTS: MemberFacts = {
  version: '1',
  ...{ nowMs: 0, startedAtMs: 0, blobs: 0, bytes: 0, capacityBytes: 0, freeBytes: 0 },
  ...{ flights: 0, bytesFromRegistries: 0, bytesFromPeers: 0, bytesServed: 0 },
  bytesByHold: { containerd: 0, cache: 0, pin: 0 },
  swarms: [],
};
const surveyed = (askedAtMs: number, more: Partial<Surveyed> = {}): Surveyed => ({
  ...{ askedAtMs, facts: FACTS, skewMs: 0, failure: undefined },
  ...more,
});
const names = (...list: string[]) => list.map((name) => ({ name }));

describe('dueMembers()', () => {
  it('asks first those that were never asked, and no more than it may', () => {
    const known = new Map([['a', surveyed(0)]]);
    expect(dueMembers(names('a', 'b', 'c'), known, { nowMs: 60_000, countMax: 2 })).toEqual(names('b', 'c'));
  });

  it('asks one that downloads every second, others every ten', () => {
    const known = new Map([
      ['idle', surveyed(0)],
      ['busy', surveyed(0, { facts: { ...FACTS, flights: 1 } })],
    ]);
    const due = (nowMs: number) => dueMembers(names('idle', 'busy'), known, { nowMs, countMax: 9 });
    expect(due(900)).toEqual([]);
    expect(due(1_500)).toEqual(names('busy'));
    expect(due(10_000)).toEqual(names('busy', 'idle'));
  });

  it('lets one that is silent alone for half a minute', () => {
    const known = new Map([['gone', surveyed(0, { facts: undefined, failure: 'No answer' })]]);
    const due = (nowMs: number) => dueMembers(names('gone'), known, { nowMs, countMax: 9 });
    expect(due(29_000)).toEqual([]);
    expect(due(30_000)).toEqual(names('gone'));
  });
});
