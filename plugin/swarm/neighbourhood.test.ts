import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { ManualClock } from '../content/fakes/manual-clock.ts';
import { writeNews } from './neighbour-messages.ts';
import { Neighbourhood } from './neighbourhood.ts';
import { PieceSet } from './piece-set.ts';

const BLOB = { digest: digestOf('layer'), size: 400 };
const NOTHING = { have: new PieceSet(4).bytes(), arriving: [], isProven: false, isWriting: false, vouches: [] };

function setUp() {
  const clock = new ManualClock();
  const called: string[] = [];
  const members = ['a', 'b', 'c'].map((name) => ({ name, host: name, port: 1, zone: '', mode: 'full' as const }));
  const neighbourhood = new Neighbourhood({
    ...{ self: 'self', blob: BLOB, pieceCount: 4, clock, accepted: [] },
    members: () => members,
    calls: {
      call: async ({ name }) => {
        called.push(name);
        return writeNews(NOTHING);
      },
    },
    isBanned: () => false,
    state: () => NOTHING,
    pieceMs: () => 0,
    onNews: () => undefined,
  });
  const over = new AbortController();
  const running = neighbourhood.run(over.signal);
  const pass = (ms: number) => clock.advance(ms);
  const end = async () => {
    over.abort(new Error('over'));
    await running;
  };
  return { neighbourhood, called, pass, end };
}

describe('Neighbourhood', () => {
  it('tells those that the owner names, and answers the others', async () => {
    const { neighbourhood, called, pass, end } = setUp();
    neighbourhood.name(['a']);
    neighbourhood.heard('b', NOTHING);
    await pass(200);
    called.length = 0;
    neighbourhood.tell();
    await pass(200);
    expect(called).toEqual(['a']);
    expect(neighbourhood.names()).toEqual(['a', 'b']);
    await end();
  });

  it('confront() calls holders until each has said what it has of a piece', async () => {
    const { neighbourhood, called, pass, end } = setUp();
    const holder = { ...NOTHING, have: PieceSet.full(4).bytes(), isProven: true };
    neighbourhood.heard('a', NOTHING);
    neighbourhood.heard('b', holder);
    neighbourhood.heard('c', { ...holder, vouches: [{ piece: 0, sha256: '00', witness: 'c' }] });
    neighbourhood.confront();
    await pass(10);
    expect(called).toEqual(['b']);
    await end();
  });

  it('lets one go that the owner no longer names, when it is silent: the two do not keep each other', async () => {
    const { neighbourhood, called, pass, end } = setUp();
    neighbourhood.name(['a', 'c']);
    await pass(200);
    neighbourhood.name(['c']);
    await pass(4_000);
    expect(neighbourhood.names()).toEqual(['a', 'c']);
    called.length = 0;
    await pass(4_000);
    expect(neighbourhood.names()).toEqual(['c']);
    expect(new Set(called)).toEqual(new Set(['c']));
    await end();
  });
});
