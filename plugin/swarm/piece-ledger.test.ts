import { describe, expect, it } from '@jest/globals';
import { PieceLedger } from './piece-ledger.ts';

const sent = (sender: string, sha256: string, witness = sender) => ({
  sender,
  sha256,
  witness,
  isAccountable: sender === witness,
});
const create = () => new PieceLedger('me');

describe('PieceLedger', () => {
  it('proven() finds who sent something else than what was proven', () => {
    const ledger = create();
    ledger.rejected(0, sent('liar', 'wrong'));
    ledger.rejected(1, sent('framed', 'right'));
    ledger.accepted(0, sent('a', 'true'));
    ledger.accepted(1, sent('b', 'right'));
    expect([...ledger.proven()]).toEqual(['liar']);
  });

  it('proven() after a wrong whole blames those who answer for their pieces, not those who passed them on', () => {
    const ledger = create();
    ledger.accepted(0, sent('forger', 'wrong'));
    ledger.accepted(1, sent('forwarder', 'wrong too', 'forger'));
    ledger.accepted(2, sent('honest', 'true'));
    ledger.wholeWasWrong();
    expect(ledger.wrongWholes).toBe(1);
    for (const piece of [0, 1, 2]) ledger.accepted(piece, sent('later', 'true'));
    expect([...ledger.proven()]).toEqual(['forger']);
  });

  it('contradicts() tells of a holder that has something else than this node fetched, and suspects it', () => {
    const ledger = create();
    ledger.accepted(0, sent('source', 'true', 'me'));
    ledger.accepted(1, sent('holder', 'passed on'));
    expect(ledger.contradicts('holder', { piece: 0, sha256: 'true' })).toBe(false);
    expect(ledger.contradicts('holder', { piece: 1, sha256: 'other' })).toBe(false);
    expect(ledger.contradicts('holder', { piece: 2, sha256: 'other' })).toBe(false);
    expect(ledger.isSuspect('holder')).toBe(false);
    expect(ledger.contradicts('holder', { piece: 0, sha256: 'wrong' })).toBe(true);
    expect(ledger.isSuspect('holder')).toBe(true);
  });

  it('proven() blames nobody for pieces whose truth it does not know', () => {
    const ledger = create();
    ledger.rejected(3, sent('somebody', 'x'));
    expect([...ledger.proven()]).toEqual([]);
  });

  it('wholeWasWrong() suspects the one that vouched for everything, and nobody when there were several', () => {
    const ledger = create();
    ledger.accepted(0, sent('holder', 'a'));
    ledger.accepted(1, sent('forwarder', 'b', 'holder'));
    ledger.accepted(2, sent('source', 'c', 'me'));
    ledger.wholeWasWrong();
    expect(['holder', 'forwarder', 'me'].map((name) => ledger.isSuspect(name))).toEqual([true, false, false]);
    ledger.accepted(0, sent('one', 'a'));
    ledger.accepted(1, sent('other', 'b'));
    ledger.wholeWasWrong();
    expect(['one', 'other'].map((name) => ledger.isSuspect(name))).toEqual([false, false]);
  });

  it('refute() gives everything that the refuted one vouched for, and keeps what it did not', () => {
    const ledger = create();
    ledger.accepted(0, sent('liar', 'wrong'));
    ledger.accepted(1, sent('forwarder', 'wrong too', 'liar'));
    ledger.accepted(2, sent('honest', 'true'));
    expect(ledger.refute(2, 'true')).toEqual([]);
    expect(ledger.refute(0, 'true')).toEqual([0, 1]);
    expect(['liar', 'forwarder', 'honest'].map((name) => ledger.isSuspect(name))).toEqual([true, false, false]);
    ledger.dropped(0);
    ledger.accepted(0, sent('honest', 'true'));
    expect([...ledger.proven()]).toEqual(['liar']);
  });

  it('fetched() names who answers for having sent something else', () => {
    const ledger = create();
    ledger.accepted(0, sent('liar', 'wrong'));
    ledger.rejected(1, sent('forwarder', 'wrong', 'liar'));
    expect([...ledger.fetched(0, 'true')]).toEqual(['liar']);
    expect([...ledger.fetched(1, 'true')]).toEqual([]);
    expect([...ledger.fetched(0, 'wrong')]).toEqual([]);
  });
});
