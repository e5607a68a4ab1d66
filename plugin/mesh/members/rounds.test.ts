import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '../../../test/simulation/mesh/seeded-random.ts';
import { LostMembers } from './lost-members.ts';
import type { MemberRecord, MemberState } from './member-record.ts';
import { MemberTable } from './member-table.ts';
import { findIncompatible } from './protocol-versions.ts';
import { pickRandom } from './random-members.ts';
import { Rounds } from './rounds.ts';

const recordOf = (name: string, state: MemberState = 'alive'): MemberRecord => ({
  name,
  address: '10.0.0.1',
  port: 1,
  meta: new Uint8Array(0),
  vsn: Uint8Array.of(1, 5, 2, 2, 5, 4),
  incarnation: 1,
  state,
  sinceMs: 0,
});

function world(names: readonly string[]) {
  const table = new MemberTable(recordOf('self'), { deadReclaimMs: 0 });
  const forgotten: string[] = [];
  const onForget = ({ name }: MemberRecord) => void forgotten.push(name);
  const rounds = new Rounds({ table, random: seededRandom(1), forgetGoneMs: 30_000, onForget });
  for (const name of names) {
    table.adopt(recordOf(name));
    rounds.add(name);
  }
  return { table, rounds, forgotten };
}

describe('Rounds', () => {
  it('next() gives every other member once a round, whatever the order', () => {
    const names = Array.from({ length: 50 }, (_, index) => `node-${index}`);
    const { rounds } = world(names);
    // The first round is the order of arrival, and begins with whatever stands there.
    for (let round = 0; round < 3; round += 1) {
      const seen = names.map(() => rounds.next(0)?.name);
      expect(new Set(seen)).toEqual(new Set(names));
    }
  });

  it('next() passes over those that are gone, and forgets them after a while', () => {
    const { table, rounds, forgotten } = world(['a', 'b']);
    table.dead({ incarnation: 1, node: 'a', from: 'x' }, 0);
    for (let count = 0; count < 4; count += 1) expect(rounds.next(20_000)?.name).toBe('b');
    expect(table.get('a')?.state).toBe('dead');
    for (let count = 0; count < 4; count += 1) rounds.next(40_000);
    expect([forgotten, table.get('a')]).toEqual([['a'], undefined]);
  });

  it('next() and pick() give nobody when we are alone', () => {
    const { rounds } = world([]);
    expect([rounds.next(0), rounds.pick(3, () => true)]).toEqual([undefined, []]);
  });

  it('pick() gives different members that fit, never ourselves', () => {
    const { rounds } = world(['a', 'b', 'c', 'd']);
    const picked = rounds.pick(3, ({ name }) => name !== 'd').map(({ name }) => name);
    expect(picked.toSorted()).toEqual(['a', 'b', 'c']);
  });
});

describe('pickRandom()', () => {
  it('gives different items of a large list, each about as often', () => {
    const items = Array.from({ length: 100 }, (_, index) => index);
    const random = seededRandom(3);
    const counts = new Map<number, number>();
    for (let run = 0; run < 3_000; run += 1) {
      const picked = pickRandom(items, 3, { random, isWanted: (item) => item % 2 === 0 });
      expect(new Set(picked).size).toBe(3);
      for (const item of picked) counts.set(item, (counts.get(item) ?? 0) + 1);
    }
    expect(counts.size).toBe(50);
    expect(Math.min(...counts.values())).toBeGreaterThan(100);
    expect(Math.max(...counts.values())).toBeLessThan(300);
  });
});

describe('findIncompatible()', () => {
  const speaker = (name: string, vsn: number[], state: MemberState = 'alive') => ({
    name,
    state,
    vsn: Uint8Array.from(vsn),
  });
  const ours = speaker('ours', [1, 5, 2, 2, 5, 4]);

  it('gives the member that speaks what another does not understand', () => {
    expect(findIncompatible([ours, speaker('serf-0.8', [1, 5, 2, 2, 5, 5])])).toBeUndefined();
    expect(findIncompatible([ours, speaker('future', [6, 9, 7, 2, 5, 4])])).toBe('ours');
    expect(findIncompatible([ours, speaker('serf-0.1', [1, 5, 2, 1, 1, 1])])).toBe('ours');
    expect(findIncompatible([ours, speaker('untold', [])])).toBeUndefined();
  });
});

describe('LostMembers', () => {
  it('pickToRetry() gives failed members for a day, and none that has left', () => {
    const lost = new LostMembers();
    lost.add(recordOf('left', 'left'));
    lost.add(recordOf('failed', 'dead'));
    const facts = { alive: 1, random: () => 0 };
    expect(lost.pickToRetry({ ...facts, nowMs: 1_000 })?.name).toBe('failed');
    expect(lost.pickToRetry({ alive: 100, nowMs: 1_000, random: () => 0.5 })).toBeUndefined();
    lost.settleLeft('failed');
    expect(lost.pickToRetry({ ...facts, nowMs: 1_000 })).toBeUndefined();
    expect([...lost.records()]).toHaveLength(2);
    lost.pickToRetry({ ...facts, nowMs: 86_400_001 });
    expect([...lost.records()]).toHaveLength(0);
  });
});
