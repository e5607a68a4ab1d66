/** How quickly pieces come over this node's line, and when something came last. Pure: time comes in. */

/** Where a piece takes longer than this the line is slow: fewer at once, so that each can be passed on sooner, milliseconds. */
const SLOW_PIECE_MS = 4_000;
const SLOW_LINE_DOWNLOADS = 3;
/** Weight of the newest piece in what a piece takes. */
const NEWEST = 0.3;

/** Bytes are said to come while the last are not older than this, or this part of what a piece takes, milliseconds. */
const FLOWING_MS = 2_000;
const FLOWING_SHARE = 0.5;

export class LinePace {
  readonly #downloadsMax: number;
  #pieceMs: number | undefined;
  /** When bytes came from a peer last. */
  movedAtMs: number;

  constructor(how: { downloadsMax: number; nowMs: number }) {
    this.#downloadsMax = how.downloadsMax;
    this.movedAtMs = how.nowMs;
  }

  pieceTook(ms: number): void {
    this.#pieceMs = this.#pieceMs === undefined ? ms : this.#pieceMs * (1 - NEWEST) + ms * NEWEST;
  }

  /** What a piece takes from a peer; 0 before the first one. */
  get pieceMs(): number {
    return this.#pieceMs ?? 0;
  }

  get isSlow(): boolean {
    return this.pieceMs > SLOW_PIECE_MS;
  }

  /** Peers' bytes come. */
  isFlowing(nowMs: number): boolean {
    return nowMs - this.movedAtMs <= Math.max(FLOWING_MS, this.pieceMs * FLOWING_SHARE);
  }

  /** Pieces of peers at once; one from the source has its share of the line. */
  slots(leasedCount: number): number {
    return Math.max(1, (this.isSlow ? SLOW_LINE_DOWNLOADS : this.#downloadsMax) - leasedCount);
  }
}
