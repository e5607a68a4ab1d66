/** How a blob is cut into pieces. Pure. */
import type { ByteRange } from '../store/partial-store.ts';
import { PieceSet } from './piece-set.ts';

export interface PiecePlan {
  readonly sizeBytes: number;
  readonly pieceSizeBytes: number;
  readonly count: number;
}

export function planPieces(sizeBytes: number, pieceSizeFor: (sizeBytes: number) => number): PiecePlan {
  const pieceSizeBytes = pieceSizeFor(sizeBytes);
  return { sizeBytes, pieceSizeBytes, count: Math.ceil(sizeBytes / pieceSizeBytes) };
}

export function rangeOf(plan: PiecePlan, piece: number): ByteRange {
  const start = piece * plan.pieceSizeBytes;
  return { start, end: Math.min(plan.sizeBytes, start + plan.pieceSizeBytes) };
}

/** The piece that a range is exactly; undefined when it is none. */
export function pieceOf(plan: PiecePlan, range: ByteRange): number | undefined {
  const piece = range.start / plan.pieceSizeBytes;
  if (!Number.isInteger(piece) || piece < 0 || piece >= plan.count) return undefined;
  return rangeOf(plan, piece).end === range.end ? piece : undefined;
}

/** The pieces without a gap, where `missing` gives the first gap at or after a byte. */
export function wholePiecesOf(plan: PiecePlan, missing: (from: number) => ByteRange | undefined): PieceSet {
  const whole = PieceSet.full(plan.count);
  for (let gap = missing(0); gap !== undefined; gap = missing(gap.end)) {
    const last = Math.floor((gap.end - 1) / plan.pieceSizeBytes);
    for (let piece = Math.floor(gap.start / plan.pieceSizeBytes); piece <= last; piece += 1) whole.remove(piece);
    if (gap.end >= plan.sizeBytes) break;
  }
  return whole;
}
