import { describe, expect, it } from '@jest/globals';
import { VouchTable } from './vouch-table.ts';

const vouch = (witness: string, sha256: string, piece = 0) => ({ piece, sha256, witness });

describe('VouchTable', () => {
  it('usable() believes one witness, none when two differ, and the majority of three', () => {
    const table = new VouchTable();
    expect(table.needsVote(0)).toBe(false);
    table.add(vouch('a', 'x'));
    expect(table.usable(0)).toEqual({ ...vouch('a', 'x'), isContested: false });
    table.add(vouch('b', 'y'));
    expect(table.usable(0)).toBeUndefined();
    expect(table.needsVote(0)).toBe(true);
    table.add(vouch('c', 'y'));
    expect(table.usable(0)).toEqual({ ...vouch('b', 'y'), isContested: true });
  });

  it('dispute() asks for two that agree, of every piece', () => {
    const table = new VouchTable();
    table.add(vouch('a', 'x', 1));
    table.dispute();
    expect(table.usable(1)).toBeUndefined();
    expect(table.needsVote(1)).toBe(true);
    expect(table.needsVote(2)).toBe(true);
    expect(table.hasVoted(1, 'a')).toBe(true);
    table.add(vouch('a', 'x', 1));
    expect(table.usable(1)).toBeUndefined();
    table.add(vouch('b', 'x', 1));
    expect(table.usable(1)?.sha256).toBe('x');
  });

  it('since() gives what changed after what was seen', () => {
    const table = new VouchTable();
    table.add(vouch('a', 'x', 0));
    const first = table.since(0);
    expect(first.vouches).toHaveLength(1);
    table.add(vouch('a', 'y', 5));
    expect(table.since(first.seen).vouches.map(({ piece }) => piece)).toEqual([5]);
    expect(table.since(99).vouches).toEqual([]);
  });

  it('add() counts so many witnesses of a piece and no more', () => {
    const table = new VouchTable();
    table.add(vouch('honest', 'x'));
    for (let at = 0; at < 100; at += 1) table.add(vouch(`liar-${at}`, `wrong-${at}`));
    expect(table.usable(0)).toBeUndefined();
    table.add(vouch('liar-0', 'x'));
    expect(table.usable(0)?.sha256).toBe('x');
  });
});
