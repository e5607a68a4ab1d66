import { describe, expect, it } from '@jest/globals';
import { VouchTable } from './vouch-table.ts';

const vouch = (witness: string, sha256: string, piece = 0) => ({ piece, sha256, witness });

describe('VouchTable', () => {
  it('usable() believes one witness, none when two differ, and the majority of three', () => {
    const table = new VouchTable();
    expect(table.needsVote([])(0)).toBe(false);
    table.add(vouch('a', 'x'));
    expect(table.usable(0)).toEqual({ ...vouch('a', 'x'), isContested: false });
    table.add(vouch('b', 'y'));
    expect(table.usable(0)).toBeUndefined();
    expect(table.needsVote([])(0)).toBe(true);
    table.add(vouch('c', 'y'));
    expect(table.usable(0)).toEqual({ ...vouch('b', 'y'), isContested: true });
  });

  it('dispute() has witnesses compared by one piece each, until one is refuted; that clears the others', () => {
    const table = new VouchTable();
    for (const piece of [0, 1]) table.add(vouch('forger', 'wrong', piece));
    for (const piece of [2, 3]) table.add(vouch('honest', 'x', piece));
    table.dispute();
    const needed = () => [0, 1, 2, 3, 4].filter(table.needsVote([]));
    expect(needed()).toEqual([0, 2]);
    expect(table.hasVoted(0, 'forger')).toBe(true);
    table.add(vouch('c', 'x', 2));
    expect([2, 3].map((piece) => table.usable(piece)?.sha256)).toEqual(['x', 'x']);
    table.add(vouch('c', 'true', 0));
    expect([table.isDoubted('forger'), table.isDoubted('c'), table.usable(0)]).toEqual([false, false, undefined]);
    table.add(vouch('d', 'true', 0));
    expect([table.isDoubted('forger'), table.isDoubted('c')]).toEqual([true, false]);
    expect(needed()).toEqual([1, 4]);
    expect(table.usable(0)).toMatchObject({ sha256: 'true', isContested: true });
  });

  it('a holder that two fetches contradict is doubted, though each was of another piece; until then it is contested', () => {
    const table = new VouchTable();
    for (const piece of [0, 1, 2]) table.add(vouch('holder', 'wrong', piece), false);
    expect([...table.contested()]).toEqual([]);
    table.add(vouch('a', 'x', 0));
    expect([[...table.contested()], table.isDoubted('holder')]).toEqual([['holder'], false]);
    table.add(vouch('a', 'y', 1));
    expect(table.isDoubted('holder')).toBe(false);
    table.add(vouch('b', 'y', 1));
    expect([table.level, [...table.contested()], table.doubted()]).toEqual([1, [], ['holder']]);
    expect([0, 1, 2].map((piece) => table.usable(piece)?.sha256)).toEqual(['x', 'y', undefined]);
  });

  it('one fetch in each of two pieces is enough, if two made them; two holders are told apart', () => {
    const table = new VouchTable();
    for (const piece of [0, 1]) table.add(vouch('spoiled', 'wrong', piece), false);
    table.add(vouch('honest', 'z', 2), false);
    table.add(vouch('a', 'x', 0));
    table.add(vouch('b', 'y', 1));
    expect(table.doubted()).toEqual(['spoiled']);
    expect([0, 1, 2].map((piece) => table.usable(piece)?.sha256)).toEqual(['x', 'y', 'z']);
  });

  it('dispute() has nothing more fetched once a live holder agreed with a fetch', () => {
    const table = new VouchTable();
    table.add(vouch('honest', 'x', 0), false);
    table.add(vouch('liar', 'wrong', 1), false);
    table.dispute();
    const needed = () => [0, 1, 2].filter(table.needsVote(['honest', 'liar']));
    expect(needed()).toEqual([0, 1]);
    table.add(vouch('c', 'x', 0));
    table.add(vouch('d', 'true', 1));
    expect(table.isDoubted('liar')).toBe(true);
    expect([0, 1, 2].filter(table.needsVote(['honest']))).toEqual([]);
    expect([0, 1, 2].filter(table.needsVote([]))).toEqual([2]);
    table.add(vouch('honest', 'y', 2), false);
    expect(table.usable(2)?.sha256).toBe('y');
  });

  it('dispute() for the second time has all compared, and believes nobody else', () => {
    const table = new VouchTable();
    for (const piece of [0, 1]) table.add(vouch('forger', 'wrong', piece));
    for (const piece of [2, 3]) table.add(vouch('second', 'wrong', piece));
    for (const piece of [4, 5]) table.add(vouch('honest', 'x', piece));
    table.dispute();
    table.dispute();
    const needed = () => [0, 1, 2, 3, 4, 5].filter(table.needsVote([]));
    for (const witness of ['c', 'd']) table.add(vouch(witness, 'true', 0));
    expect(needed()).toEqual([2, 4]);
    table.add(vouch('c', 'x', 4));
    expect([4, 5].map((piece) => table.usable(piece)?.sha256)).toEqual(['x', 'x']);
    for (const witness of ['c', 'd']) table.add(vouch(witness, 'true', 2));
    expect(table.doubted()).toEqual(['forger', 'second']);
    expect(needed()).toEqual([1, 3]);
  });

  it('dispute() for the third time asks for two that fetched the same', () => {
    const table = new VouchTable();
    table.add(vouch('a', 'x', 1));
    for (let time = 0; time < 3; time += 1) table.dispute();
    expect([0, 1].filter(table.needsVote(['holder']))).toEqual([0, 1]);
    table.add(vouch('b', 'x', 1));
    table.add(vouch('holder', 'x', 1), false);
    expect(table.usable(1)).toBeUndefined();
    table.add(vouch('c', 'x', 1));
    expect(table.usable(1)?.sha256).toBe('x');
  });

  it('add() refutes a holder by one that agrees with another witness, in all that it said', () => {
    const table = new VouchTable();
    for (const piece of [0, 1]) table.add(vouch('liar', 'wrong', piece), false);
    table.add(vouch('honest', 'x', 0), false);
    expect(table.needsVote(['liar', 'honest'])(0)).toBe(true);
    expect(table.isDoubted('liar')).toBe(false);
    table.add(vouch('c', 'x', 0));
    expect(table.isDoubted('liar')).toBe(true);
    expect(table.usable(1)).toBeUndefined();
  });

  it('isUnsettled while votes tie; one that is refuted makes it a dispute, in which the others are believed', () => {
    const table = new VouchTable();
    table.add(vouch('a', 'x', 0));
    table.add(vouch('b', 'x', 1));
    expect(table.isUnsettled).toBe(false);
    table.add(vouch('liar', 'wrong', 0), false);
    expect([table.isUnsettled, table.level]).toEqual([true, 0]);
    table.add(vouch('c', 'x', 0));
    expect([table.isUnsettled, table.level, table.doubted()]).toEqual([false, 1, ['liar']]);
    expect([0, 1].map((piece) => table.usable(piece)?.sha256)).toEqual(['x', 'x']);
    table.add(vouch('liar', 'wrong too', 2), false);
    expect(table.usable(2)).toBeUndefined();
  });

  it('add() takes one that is heard to send other bytes than it vouched for to be settled by a fetch, and doubts it then', () => {
    const table = new VouchTable();
    for (const piece of [0, 1]) table.add(vouch('turned', 'x', piece));
    table.add(vouch('turned', 'x', 0), false);
    expect([table.usable(0)?.sha256, table.isUnsettled]).toEqual(['x', false]);
    table.add(vouch('turned', 'wrong', 0), false);
    expect([table.usable(0), table.isUnsettled, table.isDoubted('turned')]).toEqual([undefined, true, false]);
    table.add(vouch('b', 'x', 0));
    expect([table.usable(0)?.sha256, table.isDoubted('turned'), table.level]).toEqual(['x', true, 1]);
    expect([0, 1].filter(table.needsVote([]))).toEqual([1]);
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
