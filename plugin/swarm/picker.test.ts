import { describe, expect, it } from '@jest/globals';
import { DEPTH_MAX, pickPiece, type PickerPeer, pickSender } from './picker.ts';
import { PieceSet } from './piece-set.ts';

const COUNT = 8;

function peer(name: string, pieces: readonly number[], more: Partial<PickerPeer> = {}): PickerPeer {
  const have = new PieceSet(COUNT);
  for (const piece of pieces) have.add(piece);
  return { name, have, arriving: new Map(), isFree: true, isNear: true, rate: undefined, running: 0, ...more };
}

function view(peers: readonly PickerPeer[], more: Partial<Parameters<typeof pickPiece>[0]> = {}) {
  const isWanted = more.isWanted ?? (() => true);
  return { count: COUNT, isWanted, isWantedArriving: isWanted, window: [], peers, random: () => 0.5, ...more };
}

describe('pickPiece', () => {
  it('pickPiece() takes the piece that the fewest have', () => {
    const peers = [peer('a', [0, 1, 2]), peer('b', [0, 1]), peer('c', [0, 1, 2, 5])];
    expect(pickPiece(view(peers))).toEqual({ piece: 5, peer: 'c', depth: 0 });
  });

  it('pickPiece() takes what a reader waits for first', () => {
    const peers = [peer('a', [0, 1, 2]), peer('b', [0, 1]), peer('c', [0, 1, 5])];
    expect(pickPiece(view(peers, { window: [1, 2] }))?.piece).toBe(1);
    expect(pickPiece(view(peers, { window: [1, 2], isWanted: (piece) => piece !== 1 }))?.piece).toBe(2);
  });

  it('pickPiece() counts a piece on its way as one that is less rare', () => {
    const peers = [peer('a', [0, 1]), peer('b', [], { arriving: new Map([[0, 1]]) })];
    expect(pickPiece(view(peers))?.piece).toBe(1);
  });

  it('pickPiece() reads along only when nothing whole is to be had, from the least depth, never too deep', () => {
    const along = peer('b', [], {
      arriving: new Map([
        [3, 2],
        [4, 1],
        [5, DEPTH_MAX],
      ]),
    });
    expect(pickPiece(view([peer('a', [0]), along]))).toMatchObject({ piece: 0, depth: 0 });
    expect(pickPiece(view([along]))).toEqual({ piece: 4, peer: 'b', depth: 1 });
    expect(pickPiece(view([along], { isWanted: (piece) => piece === 5 }))).toBeUndefined();
  });

  it('pickPiece() may read a piece along that it would not take whole', () => {
    const isWanted = () => false;
    const along = peer('b', [0, 3], { arriving: new Map([[3, 1]]) });
    const found = { piece: 3, peer: 'b', depth: 1 };
    expect(pickPiece(view([along], { isWanted, isWantedArriving: () => true }))).toEqual(found);
    expect(pickPiece(view([along], { isWanted, isWantedArriving: () => true, window: [0, 3] }))).toEqual(found);
    expect(pickPiece(view([along], { isWanted, window: [0, 3] }))).toBeUndefined();
  });

  it('pickPiece() asks nobody who is not free', () => {
    expect(pickPiece(view([peer('a', [0, 1], { isFree: false })]))).toBeUndefined();
  });

  it('pickPiece() prefers the near, then the quick, but a quick far one to a slow near one', () => {
    const choose = (peers: PickerPeer[]) => pickPiece(view(peers, { isWanted: (piece) => piece === 0 }))?.peer;
    expect(choose([peer('far', [0], { isNear: false, rate: 100 }), peer('near', [0], { rate: 60 })])).toBe('near');
    expect(choose([peer('slow', [0], { rate: 40 }), peer('quick', [0], { rate: 100 })])).toBe('quick');
    expect(choose([peer('near', [0], { rate: 5 }), peer('far', [0], { isNear: false, rate: 100 })])).toBe('far');
  });

  it('pickPiece() spreads a crowd over equals by chance', () => {
    const chances = [0.1, 0.9, 0.3, 0.7, 0.05, 0.6, 0.2, 0.8];
    let at = 0;
    const random = () => chances[at++ % chances.length] ?? 0;
    const picked = new Set(
      Array.from({ length: 40 }, () => pickPiece(view([peer('a', [0, 1, 2, 3, 4])], { random }))?.piece),
    );
    expect(picked.size).toBeGreaterThan(2);
  });

  it('pickSender() gives another sender of a piece', () => {
    const peers = [peer('a', [2]), peer('b', [2]), peer('c', [1])];
    expect(pickSender(view(peers), 2, ['a'])).toBe('b');
    expect(pickSender(view(peers), 2, ['a', 'b'])).toBeUndefined();
  });
});
