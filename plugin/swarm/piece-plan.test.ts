import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteRanges } from '../store/byte-ranges.ts';
import { pieceOf, planPieces, rangeOf, wholePiecesOf } from './piece-plan.ts';
import { PieceSet } from './piece-set.ts';

describe('piece plan', () => {
  it('wholePiecesOf() has the pieces whose every byte is there', () => {
    const range = fc.record({ start: fc.integer({ min: 0, max: 1_000 }), length: fc.integer({ min: 0, max: 300 }) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.array(range, { maxLength: 8 }), (size, ranges) => {
        const plan = planPieces(size, () => 64);
        const present = new ByteRanges();
        for (const { start, length } of ranges) present.add(Math.min(start, size), Math.min(start + length, size));
        const whole = wholePiecesOf(plan, (from) => present.firstGap(from, size));
        for (let piece = 0; piece < plan.count; piece += 1) {
          const { start, end } = rangeOf(plan, piece);
          expect(whole.has(piece)).toBe(present.covers(start, end));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('pieceOf() knows exactly the pieces', () => {
    const plan = planPieces(250, () => 100);
    expect([0, 1, 2].map((piece) => pieceOf(plan, rangeOf(plan, piece)))).toEqual([0, 1, 2]);
    for (const range of [
      { start: 1, end: 100 },
      { start: 0, end: 200 },
      { start: 200, end: 300 },
      { start: 300, end: 400 },
      { start: -100, end: 0 },
    ]) {
      expect(pieceOf(plan, range)).toBeUndefined();
    }
  });
});

describe('PieceSet', () => {
  it('parse() reads what bytes() wrote, and refuses another length', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 99 })), (pieces) => {
        const set = new PieceSet(100);
        for (const piece of pieces) set.add(piece);
        const read = PieceSet.parse(set.bytes(), 100);
        expect(read?.size).toBe(pieces.length);
        expect(pieces.every((piece) => read?.has(piece))).toBe(true);
        expect(PieceSet.parse(set.bytes(), 105)).toBeUndefined();
      }),
    );
  });

  it('parse() ignores bits beyond the last piece', () => {
    expect(PieceSet.parse(Uint8Array.of(0xff), 3)?.size).toBe(3);
  });
});
