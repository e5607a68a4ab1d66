/** Whether a running transfer had better be given up or helped, and what its failure says of its sender. Pure: time comes in. */
import { isCode } from '../../core/runtime/errors.ts';
import type { Neighbour } from './neighbourhood.ts';
import type { PeerFailure, Scoreboard } from './scoreboard.ts';
import { SOURCE, type Transfer } from './transfers.ts';

/** A transfer is looked at after so long, and this part of what a piece takes on this line, milliseconds. */
const SLOW_AFTER_MS = 2_000;
const SLOW_AFTER_SHARE = 0.5;
/** It is given up when nothing came for so long, milliseconds. */
const SILENT_MS = 5_000;
/** A leased piece of which less than this came in time is left to whoever has the lease now. */
const LATE_SHARE = 0.5;
/** A sender is of no use, even where nobody else has the piece, when with all of this line it would have brought none in this time, milliseconds. */
const USELESS_AFTER_MS = 60_000;
/** A piece has been coming for so long, and longer than usual on this line, before it may get one more sender, milliseconds. */
const LAGGING_AFTER_MS = 2_000;
/** … and at its rate what is left of it takes so many times longer than a whole one usually does. */
const LAGGING_TIMES = 2;

export interface ReviewView {
  readonly nowMs: number;
  /** What a piece takes on this line. */
  readonly pieceMs: number;
  /** Transfers that share this line. */
  readonly running: number;
  readonly scoreboard: Scoreboard;
  readonly neighbours: readonly Neighbour[];
}

/** `late`: of a lease that is over. `silent`, `slow`: of a peer. */
export function reviewTransfer(transfer: Transfer, view: ReviewView): 'late' | 'silent' | 'slow' | undefined {
  const { buffer, from, piece } = transfer;
  const { nowMs } = view;
  if (from === SOURCE) {
    const isLate = nowMs > transfer.endsAtMs && buffer.filled < (buffer.range.end - buffer.range.start) * LATE_SHARE;
    return isLate ? 'late' : undefined;
  }
  if (buffer.isFull) return undefined;
  if (nowMs - transfer.movedAtMs > SILENT_MS) return 'silent';
  const ageMs = nowMs - transfer.startedAtMs;
  if (ageMs <= Math.max(SLOW_AFTER_MS, view.pieceMs * SLOW_AFTER_SHARE)) return undefined;
  const rate = buffer.filled / ageMs;
  const alone = rate * Math.max(1, view.running) * USELESS_AFTER_MS;
  if (ageMs > USELESS_AFTER_MS && alone < buffer.range.end - buffer.range.start) return 'slow';
  const names = view.neighbours.map(({ member }) => member.name);
  const isElsewhere = view.neighbours.some(({ member, have }) => member.name !== from && have.has(piece));
  return isElsewhere && view.scoreboard.isSlow(rate, names) ? 'slow' : undefined;
}

/** One more sender would bring the piece sooner, even if it took its time itself: otherwise the piece only comes twice. */
export function isLagging({ startedAtMs, buffer }: Transfer, now: { nowMs: number; pieceMs: number }): boolean {
  const ageMs = now.nowMs - startedAtMs;
  if (ageMs < Math.max(LAGGING_AFTER_MS, now.pieceMs)) return false;
  const missing = buffer.range.end - buffer.range.start - buffer.filled;
  return missing * ageMs > buffer.filled * now.pieceMs * LAGGING_TIMES;
}

/**
 * What comes from those whose word was refuted: it would not be kept. Of each sender the piece that came furthest stays, as `proof`:
 * only who has a wrong piece, and later the whole, can tell for certain that it sent wrong bytes, and ban it.
 */
export function refutedTransfers(
  running: readonly Transfer[],
  isSuspect: (name: string) => boolean,
): { proof: Transfer[]; useless: Transfer[] } {
  const furthest = new Map<string, Transfer>();
  const refuted = running.filter(({ from }) => isSuspect(from));
  for (const transfer of refuted) {
    const known = furthest.get(transfer.from);
    if (known === undefined || transfer.buffer.filled > known.buffer.filled) furthest.set(transfer.from, transfer);
  }
  return { proof: [...furthest.values()], useless: refuted.filter((one) => furthest.get(one.from) !== one) };
}

/** One that passes on what it is getting itself is not slow: what it gets is. */
export function failureOfFault(fault: 'silent' | 'slow', depth: number): PeerFailure {
  if (fault === 'silent') return 'broken';
  return depth > 1 ? 'missing' : 'slow';
}

/** What was read along breaks off when its own sender's does, or was wrong: no fault of the one that passed it on. */
export function failureOf(error: unknown, depth: number): PeerFailure {
  if (isCode(error, 'RESOURCE_EXHAUSTED')) return 'busy';
  return isCode(error, 'NOT_FOUND') || depth > 1 ? 'missing' : 'broken';
}
