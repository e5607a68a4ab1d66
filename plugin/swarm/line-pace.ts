/** How quickly pieces come over this node's line, and when something came last. Pure: time comes in. */

/** Where a piece takes longer than this the line is slow: others had better fetch from the source, milliseconds. */
const SLOW_PIECE_MS = 4_000;
/** Pieces whose time is remembered: the quickest of them tells of this line, the others of their senders' as well. */
const TIMES_MAX = 6;

/** Bytes are said to come while the last are not older than this, or this part of what a piece takes, milliseconds. */
const FLOWING_MS = 2_000;
const FLOWING_SHARE = 0.5;

/** Peers that say they are busy live, and are believed to give something in the end for so long after the last byte, milliseconds. */
const BUSY_MAX_MS = 60_000;
/** And for so long they are no reason to ask the source, milliseconds. */
const BUSY_FLOWING_MS = 20_000;

export class LinePace {
  readonly #downloadsMax: number;
  #timesMs: readonly number[] = [];
  #busyAtMs = Number.NEGATIVE_INFINITY;
  /** When bytes came from a peer last. */
  movedAtMs: number;

  constructor(how: { downloadsMax: number; nowMs: number }) {
    this.#downloadsMax = how.downloadsMax;
    this.movedAtMs = how.nowMs;
  }

  pieceTook(ms: number): void {
    this.#timesMs = [...this.#timesMs.slice(1 - TIMES_MAX), ms];
  }

  /** What a piece takes from a peer that is not slow itself; 0 before the first one. */
  get pieceMs(): number {
    return this.#timesMs.length === 0 ? 0 : Math.min(...this.#timesMs);
  }

  get isSlow(): boolean {
    return this.pieceMs > SLOW_PIECE_MS;
  }

  /** A peer serves as many as it can. @returns whether that is still something to wait for */
  busy(nowMs: number): boolean {
    this.#busyAtMs = nowMs;
    return nowMs - this.movedAtMs <= BUSY_MAX_MS;
  }

  /** Peers' bytes come, or will as soon as one is not busy. */
  isFlowing(nowMs: number): boolean {
    const idleMs = nowMs - this.movedAtMs;
    if (idleMs <= Math.max(FLOWING_MS, this.pieceMs * FLOWING_SHARE)) return true;
    return idleMs <= BUSY_FLOWING_MS && nowMs - this.#busyAtMs <= FLOWING_MS;
  }

  /** Pieces of peers at once; one from the source has its share of the line. */
  slots(leasedCount: number): number {
    return Math.max(1, this.#downloadsMax - leasedCount);
  }
}
