import { describe, expect, it } from '@jest/globals';
import { PieceLedger } from './piece-ledger.ts';

const sent = (sender: string, sha256: string, isAccountable = true) => ({ sender, sha256, isAccountable });

describe('PieceLedger', () => {
  it('proven() finds who sent something else than what was proven', () => {
    const ledger = new PieceLedger();
    ledger.rejected(0, sent('liar', 'wrong'));
    ledger.rejected(1, sent('framed', 'right'));
    ledger.accepted(0, sent('a', 'true'));
    ledger.accepted(1, sent('b', 'right'));
    expect([...ledger.proven()]).toEqual(['liar']);
  });

  it('proven() after a wrong whole blames those who answer for their pieces, not those who passed them on', () => {
    const ledger = new PieceLedger();
    ledger.accepted(0, sent('forger', 'wrong'));
    ledger.accepted(1, sent('forwarder', 'wrong too', false));
    ledger.accepted(2, sent('honest', 'true'));
    ledger.wholeWasWrong();
    expect(ledger.hasFailed).toBe(true);
    for (const piece of [0, 1, 2]) ledger.accepted(piece, sent('later', 'true'));
    expect([...ledger.proven()]).toEqual(['forger']);
  });

  it('proven() blames nobody for pieces whose truth it does not know', () => {
    const ledger = new PieceLedger();
    ledger.rejected(3, sent('somebody', 'x'));
    expect([...ledger.proven()]).toEqual([]);
  });
});
