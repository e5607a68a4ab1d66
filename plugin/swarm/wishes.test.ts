import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../content/fakes/manual-clock.ts';
import { Acceptance } from './acceptance.ts';
import { LinePace } from './line-pace.ts';
import type { Neighbour } from './neighbourhood.ts';
import { PieceLedger } from './piece-ledger.ts';
import { PieceSet } from './piece-set.ts';
import { Scoreboard } from './scoreboard.ts';
import { Transfers } from './transfers.ts';
import { Wishes } from './wishes.ts';

const PIECES = 4;

function neighbour(name: string, pieces: readonly number[], arriving: readonly number[] = []): Neighbour {
  const have = new PieceSet(PIECES);
  for (const piece of pieces) have.add(piece);
  const member = { name, host: name, port: 1, zone: '', mode: 'full' as const };
  const depths = new Map(arriving.map((piece) => [piece, 1]));
  return { member, have, arriving: depths, isProven: false, isWriting: false, running: 0 };
}

/** A node that has nothing. */
function setUp(neighbours: readonly Neighbour[]) {
  const clock = new ManualClock();
  const acceptance = new Acceptance(PIECES, () => false);
  const wishes = new Wishes({
    ...{ zone: '', acceptance, clock, random: () => 0.5 },
    plan: { sizeBytes: 400, pieceSizeBytes: 100, count: PIECES },
    sink: { urgentGap: () => undefined },
    mine: new PieceSet(PIECES),
    neighbourhood: { all: () => neighbours },
    scoreboard: new Scoreboard(),
    ledgers: { isBanned: () => false },
    ledger: new PieceLedger('me'),
    transfers: new Transfers(),
    pace: new LinePace({ downloadsMax: 5, nowMs: clock.monotonicMs() }),
  });
  return { wishes, acceptance };
}

describe('Wishes', () => {
  it('next() asks in a dispute for what the owner vouches for', () => {
    const { wishes, acceptance } = setUp([neighbour('a', [0, 2])]);
    acceptance.isStrict = true;
    expect(wishes.next()).toBeUndefined();
    acceptance.fromOwner([{ piece: 2, sha256: 'true', witness: 'b' }]);
    expect(wishes.next()).toMatchObject({ piece: 2, peer: 'a' });
  });

  it('next() reads along in a dispute what nobody can vouch for yet', () => {
    const { wishes, acceptance } = setUp([neighbour('a', [0], [3])]);
    acceptance.isStrict = true;
    expect(wishes.next()).toEqual({ piece: 3, peer: 'a', depth: 1 });
  });

  it('next() reads nothing along in a dispute from one whose pieces were not kept', () => {
    const { wishes, acceptance } = setUp([neighbour('a', [0], [3])]);
    for (let times = 0; times < 4; times += 1) wishes.notKept('a');
    expect(wishes.next()).toMatchObject({ piece: 0 });
    acceptance.isStrict = true;
    wishes.notKept('a');
    expect(wishes.next()).toMatchObject({ piece: 3 });
    wishes.notKept('a');
    expect(wishes.next()).toBeUndefined();
    acceptance.fromOwner([{ piece: 0, sha256: 'true', witness: 'b' }]);
    expect(wishes.next()).toMatchObject({ piece: 0, peer: 'a', depth: 0 });
  });

  it('next() asks nobody whose word is not settled', () => {
    const { wishes } = setUp([neighbour('a', [0], [3])]);
    wishes.contested = new Set(['a']);
    expect(wishes.next()).toBeUndefined();
  });
});
