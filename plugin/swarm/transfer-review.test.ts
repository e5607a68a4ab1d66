import { describe, expect, it } from '@jest/globals';
import type { Neighbour } from './neighbourhood.ts';
import { PieceBuffer } from './piece-buffer.ts';
import { PieceSet } from './piece-set.ts';
import { Scoreboard } from './scoreboard.ts';
import { failureOfFault, isLagging, refutedTransfers, reviewTransfer } from './transfer-review.ts';
import { SOURCE, type Transfer } from './transfers.ts';

const PIECE = 1_000;

function transfer(from: string, at: { filled: number; movedAtMs?: number; endsAtMs?: number }): Transfer {
  const buffer = new PieceBuffer({ start: 0, end: PIECE });
  if (at.filled > 0) buffer.append(new Uint8Array(at.filled));
  const times = { startedAtMs: 0, movedAtMs: at.movedAtMs ?? 0, endsAtMs: at.endsAtMs ?? Number.POSITIVE_INFINITY };
  return { piece: 0, from, depth: 0, buffer, ...times, isForVote: false, abort: new AbortController() };
}

function neighbour(name: string): Neighbour {
  const member = { name, host: name, port: 1, zone: '', mode: 'full' as const };
  return { member, have: PieceSet.full(1), arriving: new Map(), isProven: false, isWriting: false, running: 0 };
}

function view(nowMs: number, more: { pieceMs?: number; running?: number; names?: readonly string[] } = {}) {
  const scoreboard = new Scoreboard();
  for (const name of ['a', 'b', 'c']) scoreboard.brought(name, PIECE, 1_000);
  const neighbours = (more.names ?? ['a', 'b', 'c']).map(neighbour);
  return { nowMs, scoreboard, pieceMs: more.pieceMs ?? 1_000, running: more.running ?? 1, neighbours };
}

describe('reviewTransfer()', () => {
  it('gives up a peer that is silent, and none that has sent all', () => {
    expect(reviewTransfer(transfer('a', { filled: 100 }), view(5_001))).toBe('silent');
    expect(reviewTransfer(transfer('a', { filled: PIECE }), view(5_001))).toBeUndefined();
  });

  it('gives up a peer far slower than others, when one of those has the piece', () => {
    const slow = transfer('a', { filled: 100, movedAtMs: 3_000 });
    expect(reviewTransfer(slow, view(3_000))).toBe('slow');
    expect(reviewTransfer(slow, view(3_000, { names: ['a'] }))).toBeUndefined();
  });

  it('waits longer where every piece takes long', () => {
    const slow = transfer('a', { filled: 100, movedAtMs: 6_000 });
    expect(reviewTransfer(slow, view(6_000, { pieceMs: 20_000 }))).toBeUndefined();
    expect(reviewTransfer(slow, view(6_000, { pieceMs: 2_000 }))).toBe('slow');
  });

  it('gives up one that trickles, even where nobody else has the piece', () => {
    const trickle = transfer('a', { filled: 10, movedAtMs: 60_001 });
    expect(reviewTransfer(trickle, view(60_001, { names: ['a'] }))).toBe('slow');
  });

  it('keeps one that takes more than a minute because others share a slow line', () => {
    const shared = transfer('a', { filled: 400, movedAtMs: 60_001 });
    expect(reviewTransfer(shared, view(60_001, { names: ['a'], running: 3 }))).toBeUndefined();
    expect(reviewTransfer(shared, view(60_001, { names: ['a'], running: 2 }))).toBe('slow');
  });

  it('leaves a leased piece to others when its lease is over and little of it came', () => {
    expect(reviewTransfer(transfer(SOURCE, { filled: 400, endsAtMs: 1_000 }), view(1_001))).toBe('late');
    expect(reviewTransfer(transfer(SOURCE, { filled: 600, endsAtMs: 1_000 }), view(1_001))).toBeUndefined();
    expect(reviewTransfer(transfer(SOURCE, { filled: 400, endsAtMs: 1_000 }), view(999))).toBeUndefined();
  });
});

describe('isLagging()', () => {
  it('is no piece that comes as quickly as others do, however few are left', () => {
    // Half of it in 3 s, where a whole one takes 2 s: the rest takes 3 s more.
    expect(isLagging(transfer('a', { filled: 500 }), { nowMs: 3_000, pieceMs: 2_000 })).toBe(false);
    expect(isLagging(transfer('a', { filled: 800 }), { nowMs: 12_000, pieceMs: 2_000 })).toBe(false);
  });

  it('is a piece whose rest takes more than twice what a whole one takes, after that time', () => {
    const slow = transfer('a', { filled: 200 });
    expect(isLagging(slow, { nowMs: 1_900, pieceMs: 1_000 })).toBe(false);
    expect(isLagging(slow, { nowMs: 2_100, pieceMs: 1_000 })).toBe(true);
    expect(isLagging(slow, { nowMs: 2_100, pieceMs: 3_000 })).toBe(false);
    expect(isLagging(slow, { nowMs: 3_100, pieceMs: 3_000 })).toBe(true);
  });

  it('is one of which nothing has come, and any late one while nobody knows what a piece takes', () => {
    expect(isLagging(transfer('a', { filled: 0 }), { nowMs: 2_001, pieceMs: 1_000 })).toBe(true);
    expect(isLagging(transfer('a', { filled: 900 }), { nowMs: 2_001, pieceMs: 0 })).toBe(true);
  });
});

describe('failureOfFault()', () => {
  it('blames for slowness only who has the piece', () => {
    expect(failureOfFault('slow', 1)).toBe('slow');
    expect(failureOfFault('slow', 2)).toBe('missing');
    expect(failureOfFault('silent', 2)).toBe('broken');
  });
});

describe('refutedTransfers()', () => {
  it('keeps what came furthest of each refuted one as proof; the rest is of no use', () => {
    const [little, much, other, good] = [
      transfer('liar', { filled: 10 }),
      transfer('liar', { filled: 500 }),
      transfer('another', { filled: 0 }),
      transfer('good', { filled: 1 }),
    ];
    const lease = transfer(SOURCE, { filled: 1 });
    const isSuspect = (name: string) => name === 'liar' || name === 'another';
    const found = refutedTransfers([little, much, other, good, lease], isSuspect);
    expect(found).toEqual({ proof: [much, other], useless: [little] });
    expect(refutedTransfers([good, lease], isSuspect)).toEqual({ proof: [], useless: [] });
  });
});
