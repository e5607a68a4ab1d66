import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import type { ByteRange } from '../store/partial-store.ts';
import { Acceptance } from './acceptance.ts';
import { PieceLedger } from './piece-ledger.ts';
import { PieceSet } from './piece-set.ts';
import { Retraction } from './retraction.ts';

const plan = { sizeBytes: 400, pieceSizeBytes: 100, count: 4 };
const vouch = (piece: number, sha256: string, isContested = false) => ({ piece, sha256, witness: 'x', isContested });

/** Pieces 0 and 1 were vouched for by the liar, 2 by an honest one, 3 was fetched here. */
function setUp() {
  const mine = PieceSet.full(4);
  const acceptance = new Acceptance(4, () => false);
  const ledger = new PieceLedger('me');
  for (const [piece, witness] of ['liar', 'liar', 'honest', 'me'].entries()) {
    ledger.accepted(piece, { sender: 'somebody', sha256: `${piece}`, witness, isAccountable: false });
  }
  const forgotten: ByteRange[] = [];
  const sink = {
    ...{ digest: digestOf('x'), size: 400, nextGap: () => undefined, urgentGap: () => undefined },
    write: async () => undefined,
    forget: async (range: ByteRange) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      forgotten.push(range);
    },
  };
  const events = { retracted: () => undefined };
  const retraction = new Retraction({ events, sink, plan, mine, acceptance, ledger });
  return { mine, acceptance, ledger, forgotten, retraction };
}

describe('Retraction', () => {
  it('heard() takes back everything that the refuted one vouched for, after a wrong whole', async () => {
    const { mine, acceptance, forgotten, retraction } = setUp();
    acceptance.isStrict = true;
    await retraction.heard([vouch(0, 'true'), vouch(2, '2')], []);
    expect(forgotten).toEqual([
      { start: 0, end: 100 },
      { start: 100, end: 200 },
    ]);
    expect([...mine.missing()]).toEqual([0, 1]);
    expect(retraction.isRunning).toBe(false);
  });

  it('heard() takes back nothing for one vouch against another, unless a fetch has settled it', async () => {
    const { mine, retraction } = setUp();
    await retraction.heard([vouch(0, 'other')], []);
    expect(mine.isFull).toBe(true);
    await retraction.heard([vouch(0, 'other', true)], []);
    expect([...mine.missing()]).toEqual([0, 1]);
  });

  it('heard() keeps what the owner vouches for, whoever vouched for it first', async () => {
    const { mine, acceptance, retraction } = setUp();
    acceptance.isStrict = true;
    const vouches = [vouch(0, 'true'), vouch(1, '1')];
    acceptance.fromOwner(vouches);
    await retraction.heard(vouches, []);
    expect([...mine.missing()]).toEqual([0]);
  });

  it('heard() does not follow an owner that changes its mind for ever', async () => {
    const { mine, acceptance, ledger, forgotten, retraction } = setUp();
    acceptance.isStrict = true;
    for (let time = 0; time < 5; time += 1) {
      await retraction.heard([vouch(2, `other ${time}`)], []);
      mine.add(2);
      ledger.accepted(2, { sender: 'a', sha256: '2', witness: 'a', isAccountable: true });
    }
    expect(forgotten).toHaveLength(2);
  });

  it('fetched() waits for what is being taken back already, so that what was fetched is kept', async () => {
    const { mine, retraction } = setUp();
    const heard = retraction.heard([vouch(0, 'true', true)], []);
    await retraction.fetched(0, 'true');
    expect(mine.has(0)).toBe(false);
    await heard;
  });

  it('fetched() needs nobody’s word', async () => {
    const { mine, retraction } = setUp();
    await retraction.fetched(1, 'true');
    expect([...mine.missing()]).toEqual([0, 1]);
  });
});
