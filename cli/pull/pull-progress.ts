/** How far a pull is: the sum of its blobs, how fast bytes arrive, and how long the rest will take. Pure. */
import { formatBytes, formatDuration, formatRate } from '../../core/runtime/units.ts';

/** What the node says of one blob. */
export interface BlobStep {
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
  readonly bytesPresent: number;
  /** `waiting`, `fetching`, `done` or `skipped`. */
  readonly state: string;
}

export interface PullTotals {
  readonly blobs: number;
  readonly blobsDone: number;
  readonly bytes: number;
  readonly bytesPresent: number;
  /** Bytes that came while it was watched. */
  readonly bytesFetched: number;
  /** Bytes a second of late; undefined until enough has been seen. */
  readonly rate: number | undefined;
  readonly leftMs: number | undefined;
}

/** Rates are averaged over this long, so that they neither jump nor lag. */
const RATE_WINDOW_MS = 5_000;
/** A shorter look than this says nothing. */
const RATE_MIN_MS = 500;

export class PullProgress {
  readonly #steps = new Map<string, BlobStep>();
  /** Bytes moved by a time, oldest first; bounded by the window and the pace of the node's lines. */
  #moves: { atMs: number; bytes: number }[] = [];
  #moved = 0;

  /** Takes in one step; `nowMs` is monotonic. */
  apply(step: BlobStep, nowMs: number): void {
    const before = this.#steps.get(step.digest);
    // What is here at once was here before, and says nothing about the network.
    const isMoving = before?.state === 'fetching' || step.state === 'fetching';
    if (isMoving) this.#moved += Math.max(0, step.bytesPresent - (before?.bytesPresent ?? 0));
    this.#steps.set(step.digest, step);
    this.#moves = [
      ...this.#moves.filter(({ atMs }) => atMs > nowMs - RATE_WINDOW_MS).slice(-MOVES_MAX),
      { atMs: nowMs, bytes: this.#moved },
    ];
  }

  steps(): readonly BlobStep[] {
    return [...this.#steps.values()];
  }

  totals(): PullTotals {
    const wanted = this.steps().filter(({ state }) => state !== 'skipped');
    const bytes = sum(wanted.map(({ size }) => size));
    const bytesPresent = sum(wanted.map((step) => step.bytesPresent));
    const rate = this.#rate();
    return {
      blobs: wanted.length,
      blobsDone: wanted.filter(({ state }) => state === 'done').length,
      bytes,
      bytesPresent,
      bytesFetched: this.#moved,
      rate,
      leftMs: rate === undefined || rate <= 0 ? undefined : ((bytes - bytesPresent) / rate) * 1000,
    };
  }

  #rate(): number | undefined {
    // Where nothing has to come, nothing has a rate.
    if (this.#moved === 0) return undefined;
    const first = this.#moves[0];
    const last = this.#moves.at(-1);
    if (first === undefined || last === undefined || last.atMs - first.atMs < RATE_MIN_MS) return undefined;
    return ((last.bytes - first.bytes) / (last.atMs - first.atMs)) * 1000;
  }
}

/** Lines of one window: a few blobs at once, five times a second each. */
const MOVES_MAX = 500;

/** `3/7 blobs, 12.3 MiB of 70 MiB, 5 MiB/s, 12s left`. */
export function progressText({ blobs, blobsDone, bytes, bytesPresent, rate, leftMs }: PullTotals): string {
  return [
    `${blobsDone}/${blobs} blobs`,
    `${formatBytes(bytesPresent)} of ${formatBytes(bytes)}`,
    ...(rate === undefined ? [] : [formatRate(rate)]),
    ...(leftMs === undefined || blobsDone === blobs ? [] : [`${formatDuration(Math.ceil(leftMs / 1000) * 1000)} left`]),
  ].join(', ');
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
