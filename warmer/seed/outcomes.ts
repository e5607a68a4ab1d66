/** How each image ended on each node. Bounded by the plan's own pairs. */
import type { SeedResult } from '../../proto/shoal/seed/v1/seed-line.ts';

export interface PairOutcome {
  readonly state: SeedResult['state'];
  readonly bytesTotal: number;
  /** Brought there by this run. */
  readonly bytesFetched: number;
  /** Every blob is whole, proven by its digest and pinned. */
  readonly isVerified: boolean;
  readonly pinnedUntil: string | undefined;
  readonly unpacked: boolean | undefined;
  readonly reason: string | undefined;
  readonly code: string | undefined;
  readonly failedDigest: string | undefined;
  readonly isRetriable: boolean;
}

export class Outcomes {
  readonly #byNode = new Map<string, Map<string, PairOutcome>>();
  #bytesFetched = 0;

  get bytesFetched(): number {
    return this.#bytesFetched;
  }

  get(node: string, reference: string): PairOutcome | undefined {
    return this.#byNode.get(node)?.get(reference);
  }

  take(result: SeedResult): void {
    const before = this.get(result.node, result.ref);
    this.#bytesFetched += result.bytes_fetched;
    const isWhole = result.state === 'present' || result.state === 'fetched';
    const bytesFetched = result.bytes_fetched + (before?.bytesFetched ?? 0);
    this.set(result.node, result.ref, {
      // What an attempt before this one brought is there now.
      state: result.state === 'present' && bytesFetched > 0 ? 'fetched' : result.state,
      bytesTotal: result.bytes_total,
      bytesFetched,
      isVerified: isWhole && result.blobs_verified >= result.blobs_total,
      pinnedUntil: result.pinned_until ?? undefined,
      unpacked: result.unpacked ?? undefined,
      reason: result.reason ?? undefined,
      code: result.code ?? undefined,
      failedDigest: result.failed_digest ?? undefined,
      isRetriable: result.retriable,
    });
  }

  /** For pairs that nobody answered for. */
  fail(node: string, reference: string, failure: { code: string; reason: string; isRetriable: boolean }): void {
    const before = this.get(node, reference);
    this.set(node, reference, {
      state: 'failed',
      bytesTotal: before?.bytesTotal ?? 0,
      bytesFetched: before?.bytesFetched ?? 0,
      isVerified: false,
      pinnedUntil: undefined,
      unpacked: undefined,
      failedDigest: undefined,
      ...failure,
    });
  }

  skip(node: string, reference: string, reason: string): void {
    this.fail(node, reference, { code: '', reason, isRetriable: true });
    const failed = this.get(node, reference);
    if (failed !== undefined) this.set(node, reference, { ...failed, state: 'skipped', code: undefined });
  }

  set(node: string, reference: string, outcome: PairOutcome): void {
    const pairs = this.#byNode.get(node) ?? new Map<string, PairOutcome>();
    this.#byNode.set(node, pairs);
    pairs.set(reference, outcome);
  }
}
