/**
 * Which piece to fetch next, and from whom: the window that a reader waits for first, then the piece that the fewest
 * neighbours have, chance deciding between equals; pieces that are only on their way somewhere when nothing else is left. Pure.
 */
import type { PieceSet } from './piece-set.ts';

/** Members between this node and one that has the piece; each adds a chunk's delay. */
export const DEPTH_MAX = 6;

export interface PickerPeer {
  readonly name: string;
  readonly have: PieceSet;
  /** Pieces on their way to it, with their depth. */
  readonly arriving: ReadonlyMap<number, number>;
  /** May be asked now. */
  readonly isFree: boolean;
  readonly isNear: boolean;
  /** Bytes a millisecond; undefined before the first measurement. */
  readonly rate: number | undefined;
  readonly running: number;
}

export interface PickerView {
  readonly count: number;
  /** Missing, and not on its way. */
  readonly isWanted: (piece: number) => boolean;
  /** The same of one that is on its way to a peer: whether it is believed may show while it comes. */
  readonly isWantedArriving: (piece: number) => boolean;
  /** Pieces that a reader waits for, in order. */
  readonly window: readonly number[];
  readonly peers: readonly PickerPeer[];
  readonly random: () => number;
}

export interface Picked {
  readonly piece: number;
  readonly peer: string;
  /** Of the piece at the peer: 0 when it has it. */
  readonly depth: number;
}

export function pickPiece(view: PickerView): Picked | undefined {
  return pickForReader(view) ?? pickRarest(view) ?? pickArriving(view);
}

/** One more sender for a piece that is on its way already. */
export function pickSender(view: PickerView, piece: number, except: readonly string[]): string | undefined {
  return bestOf(view, (peer) => peer.have.has(piece) && !except.includes(peer.name))?.name;
}

function pickForReader(view: PickerView): Picked | undefined {
  for (const piece of view.window) {
    const peer = view.isWanted(piece) ? bestOf(view, ({ have }) => have.has(piece)) : undefined;
    if (peer !== undefined) return { piece, peer: peer.name, depth: 0 };
    const on = view.isWantedArriving(piece) ? leastDeep(view, piece) : undefined;
    if (on !== undefined) return on;
  }
  return undefined;
}

function pickRarest(view: PickerView): Picked | undefined {
  const free = view.peers.filter(({ isFree }) => isFree);
  let best: { piece: number; holders: number } | undefined;
  let ties = 0;
  for (let piece = 0; free.length > 0 && piece < view.count; piece += 1) {
    if (!view.isWanted(piece) || !free.some(({ have }) => have.has(piece))) continue;
    const holders = holdersOf(view, piece);
    if (best !== undefined && holders > best.holders) continue;
    ties = best !== undefined && holders === best.holders ? ties + 1 : 1;
    if (ties === 1 || view.random() * ties < 1) best = { piece, holders };
  }
  if (best === undefined) return undefined;
  const { piece } = best;
  const peer = bestOf(view, ({ have }) => have.has(piece));
  return peer && { piece, peer: peer.name, depth: 0 };
}

function pickArriving(view: PickerView): Picked | undefined {
  let best: Picked | undefined;
  let ties = 0;
  for (const peer of view.peers) {
    if (!peer.isFree) continue;
    for (const [piece, depth] of peer.arriving) {
      if (depth >= DEPTH_MAX || !view.isWantedArriving(piece) || (best !== undefined && depth > best.depth)) continue;
      ties = best !== undefined && depth === best.depth ? ties + 1 : 1;
      if (ties === 1 || view.random() * ties < 1) best = { piece, peer: peer.name, depth };
    }
  }
  return best;
}

function leastDeep(view: PickerView, piece: number): Picked | undefined {
  let best: Picked | undefined;
  for (const { name, isFree, arriving } of view.peers) {
    const depth = arriving.get(piece);
    if (!isFree || depth === undefined || depth >= DEPTH_MAX) continue;
    if (best === undefined || depth < best.depth) best = { piece, peer: name, depth };
  }
  return best;
}

/** Those that have it or will soon: a piece on its way elsewhere need not be fetched from the one that has all of them. */
function holdersOf(view: PickerView, piece: number): number {
  let holders = 0;
  for (const { have, arriving } of view.peers) if (have.has(piece) || arriving.has(piece)) holders += 1;
  return holders;
}

/** A peer below this share of the quickest one's rate is taken for slow. */
const SLOW_SHARE = 0.25;
/** What a peer that was never measured is taken for. */
const UNKNOWN_SHARE = 0.7;
/** How much chance there is in the choice, so that a crowd does not choose alike. */
const CHANCE_SHARE = 0.3;

/** The best of those that fit: near ones first unless they are slow, then what one more request may bring. */
function bestOf(view: PickerView, fits: (peer: PickerPeer) => boolean): PickerPeer | undefined {
  const fitting = view.peers.filter((peer) => peer.isFree && fits(peer));
  const quickest = Math.max(0, ...fitting.map(({ rate }) => rate ?? 0));
  let best: PickerPeer | undefined;
  let bestScore = -1;
  for (const peer of fitting) {
    const share = peer.rate === undefined || quickest === 0 ? UNKNOWN_SHARE : peer.rate / quickest;
    const isNear = peer.isNear && share > SLOW_SHARE;
    const score = (isNear ? 2 : 0) + share / (peer.running + 1) + view.random() * CHANCE_SHARE;
    if (score <= bestScore) continue;
    best = peer;
    bestScore = score;
  }
  return best;
}
