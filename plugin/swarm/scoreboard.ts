/** How well each peer has served this node: measured rates, failures, pauses. Pure: time comes in. */

/** Weight of the newest measurement. */
const NEWEST = 0.3;
/** Peers remembered; beyond that the first known is forgotten. */
const PEERS_MAX = 10_000;
/** Pauses by what happened, milliseconds; those that grow double with each failure in a row. */
const PAUSES = {
  /** It serves as many as it can. */
  busy: { firstMs: 100, lastMs: 800 },
  /** It did not have what it said it had, or what it was getting broke off. */
  missing: { firstMs: 50, lastMs: 2_000 },
  /** Unreachable, broken off, silent. */
  broken: { firstMs: 500, lastMs: 30_000 },
  /** Far slower than others. */
  slow: { firstMs: 10_000, lastMs: 60_000 },
  /** What it sent is not what others vouch for. */
  wrong: { firstMs: 60_000, lastMs: 600_000 },
} as const;

export type PeerFailure = keyof typeof PAUSES;

/** A peer this many times slower than the middle one is slow. */
const SLOW_TIMES = 5;
/** A peer that brings a piece faster than this may be asked for several at once, milliseconds. */
const QUICK_PIECE_MS = 200;
const PARALLEL_MAX = 4;

interface Score {
  bytesPerMs: number | undefined;
  /** What the whole line would have brought at that rate: the rate times the transfers that shared it. */
  lineBytesPerMs: number;
  failures: number;
  pausedUntilMs: number;
}

export class Scoreboard {
  readonly #scores = new Map<string, Score>();
  /** Transfers from peers that share this node's line now, of all swarms. */
  #running = 0;

  began(): void {
    this.#running += 1;
  }

  ended(): void {
    this.#running -= 1;
  }

  /** A peer has brought bytes in so many milliseconds. */
  brought(peer: string, bytes: number, tookMs: number): void {
    const score = this.#score(peer);
    const rate = bytes / Math.max(1, tookMs);
    const lineRate = rate * Math.max(1, this.#running);
    const isFirst = score.bytesPerMs === undefined;
    score.bytesPerMs = (score.bytesPerMs ?? rate) * (1 - NEWEST) + rate * NEWEST;
    score.lineBytesPerMs = (isFirst ? lineRate : score.lineBytesPerMs) * (1 - NEWEST) + lineRate * NEWEST;
    score.failures = 0;
  }

  /** A peer has brought what it was asked for, too little to be measured by. */
  answered(peer: string): void {
    this.#score(peer).failures = 0;
  }

  failed(peer: string, failure: PeerFailure, now: { nowMs: number; random: () => number }): void {
    const score = this.#score(peer);
    const { firstMs, lastMs } = PAUSES[failure];
    const pauseMs = Math.min(lastMs, firstMs * 2 ** Math.min(score.failures, 10));
    score.failures += 1;
    score.pausedUntilMs = now.nowMs + pauseMs * (0.5 + now.random() / 2);
  }

  isPaused(peer: string, nowMs: number): boolean {
    return (this.#scores.get(peer)?.pausedUntilMs ?? 0) > nowMs;
  }

  /** Bytes a millisecond; undefined before the first measurement. */
  rate(peer: string): number | undefined {
    return this.#scores.get(peer)?.bytesPerMs;
  }

  /** Requests that it should be given at once. */
  parallel(peer: string, pieceBytes: number): number {
    const rate = this.rate(peer);
    if (rate === undefined) return 1;
    return Math.min(PARALLEL_MAX, Math.max(1, Math.ceil((rate * QUICK_PIECE_MS) / pieceBytes)));
  }

  /** Whether a running transfer is far below what the middle one of these peers gives, as many sharing this node's line. */
  isSlow(bytesPerMs: number, peers: Iterable<string>): boolean {
    const known = [...peers].flatMap((peer) => this.#scores.get(peer) ?? []);
    const rates = known.flatMap((score) => (score.bytesPerMs === undefined ? [] : [score.lineBytesPerMs]));
    const middle = rates.sort((a, b) => a - b)[rates.length >> 1];
    return middle !== undefined && bytesPerMs * Math.max(1, this.#running) * SLOW_TIMES < middle;
  }

  #score(peer: string): Score {
    const known = this.#scores.get(peer);
    if (known !== undefined) return known;
    const [first] = this.#scores.keys();
    if (this.#scores.size >= PEERS_MAX && first !== undefined) this.#scores.delete(first);
    const score = { bytesPerMs: undefined, lineBytesPerMs: 0, failures: 0, pausedUntilMs: 0 };
    this.#scores.set(peer, score);
    return score;
  }
}
