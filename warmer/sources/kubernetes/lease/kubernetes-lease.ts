/** One warmer at a time, by a Kubernetes Lease (client-go `tools/leaderelection`). */
import type { Clock } from '../../../../core/runtime/clock.ts';
import { CodedError, isCode, messageOf } from '../../../../core/runtime/errors.ts';
import { isRecord, type PlainRecord } from '../../extract/values.ts';
import type { ApiClient } from '../api/api-client.ts';
import { ApiError } from '../api/api-error.ts';
import {
  isHeldByOther,
  type LeaseRecord,
  leaseObject,
  type Observation,
  observe,
  readLease,
  releasedFrom,
  takenBy,
} from './lease-record.ts';

export interface LeaseDeps {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: () => number;
}

export interface LeaseOptions {
  readonly namespace: string;
  readonly name: string;
  /** Who we are: different for each process. */
  readonly holder: string;
  /** Others wait so long after the last renewal, milliseconds. */
  readonly durationMs?: number;
  /** Without a renewal for so long it is lost, milliseconds; shorter than `durationMs`. */
  readonly renewDeadlineMs?: number;
  /** Between attempts, milliseconds. */
  readonly retryMs?: number;
}

export interface HeldLease extends AsyncDisposable {
  /** Aborted, with CodedError FAILED_PRECONDITION, once it is no longer certain that nobody else holds it. */
  readonly lost: AbortSignal;
  /** Gives it back, so that nobody has to wait for its end. Harmless twice; never throws. */
  release(): Promise<void>;
}

/** What an attempt came to. */
export type LeaseAttempt =
  | { readonly kind: 'held'; readonly lease: HeldLease }
  | { readonly kind: 'taken'; readonly holder: string };

/** client-go's usual values (`LeaseDuration`, `RenewDeadline`, `RetryPeriod`). */
const DURATION_MS = 15_000;
const RENEW_DEADLINE_MS = 10_000;
const RETRY_MS = 2_000;
/** client-go's JitterFactor. */
const JITTER = 1.2;
/** Whoever comes next waits for its end when even this does not help. */
const RELEASE_ATTEMPTS_MAX = 3;

export class KubernetesLease {
  readonly #deps: LeaseDeps;
  readonly #options: Required<LeaseOptions>;
  #seen: Observation | undefined;

  /** @throws CodedError INVALID_ARGUMENT for times that cannot work */
  constructor(deps: LeaseDeps, options: LeaseOptions) {
    this.#deps = deps;
    this.#options = { durationMs: DURATION_MS, renewDeadlineMs: RENEW_DEADLINE_MS, retryMs: RETRY_MS, ...options };
    const { durationMs, renewDeadlineMs, retryMs } = this.#options;
    if (durationMs <= renewDeadlineMs || renewDeadlineMs <= retryMs * JITTER) {
      throw new CodedError(
        'INVALID_ARGUMENT',
        'A lease lasts longer than its renewal may take, and that longer than a retry',
      );
    }
  }

  /**
   * Takes it, when it is free or becomes free within `waitMs` (0: one look; whether a holder is dead is told only by waiting out
   * its lease). @throws ApiError, CodedError when the API cannot be asked; the signal's reason
   */
  async acquire({ waitMs, signal }: { waitMs: number; signal: AbortSignal }): Promise<LeaseAttempt> {
    const { clock } = this.#deps;
    const endMs = clock.monotonicMs() + waitMs;
    for (;;) {
      const isLast = clock.monotonicMs() >= endMs;
      const isOurs = await this.#attempt(signal).catch((error) => {
        // An API that is away for a moment is no answer while there is time.
        if (isLast || signal.aborted || !isCode(error, 'UNAVAILABLE', 'RESOURCE_EXHAUSTED')) throw error;
        return false;
      });
      if (isOurs) return { kind: 'held', lease: this.#hold() };
      if (isLast) return { kind: 'taken', holder: this.#seen?.record.holder ?? '' };
      await clock.sleep(this.#retryMs(), { signal });
    }
  }

  /** One attempt to take it or to keep it: false when it is somebody else's. */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#deps;
    const { holder, durationMs } = this.#options;
    const object = await this.#get(signal);
    const before = object === undefined ? undefined : readLease(object);
    if (before !== undefined) {
      this.#seen = observe(this.#seen, before, clock.monotonicMs());
      if (isHeldByOther(this.#seen, holder, clock.monotonicMs())) return false;
    }
    return await this.#write(takenBy(before, { holder, durationMs, nowMs: clock.now() }), object, signal);
  }

  async #get(signal: AbortSignal): Promise<PlainRecord | undefined> {
    try {
      const found = await this.#deps.client.json({ path: this.#path(), deadlineMs: this.#callMs() }, { signal });
      return isRecord(found) ? found : undefined;
    } catch (error) {
      if (isCode(error, 'NOT_FOUND')) return undefined;
      throw error;
    }
  }

  /** False when somebody else was faster. */
  async #write(record: LeaseRecord, before: PlainRecord | undefined, signal: AbortSignal): Promise<boolean> {
    const { client, clock } = this.#deps;
    const body = leaseObject(this.#options, record, before);
    const isNew = before === undefined;
    const call = { method: isNew ? 'POST' : 'PUT', path: isNew ? this.#folder() : this.#path(), body } as const;
    try {
      const written = await client.json({ ...call, deadlineMs: this.#callMs() }, { signal });
      this.#seen = observe(this.#seen, readLease(written), clock.monotonicMs());
      return true;
    } catch (error) {
      // 409: written meanwhile. 404 for what we have just read: deleted meanwhile.
      const status = error instanceof ApiError ? error.refusal.status : 0;
      if (status === 409 || (!isNew && status === 404)) return false;
      throw error;
    }
  }

  #hold(): HeldLease {
    const life = new AbortController();
    const lost = new AbortController();
    const renewing = this.#renew(life.signal, lost);
    const release = async () => {
      if (!life.signal.aborted) {
        life.abort();
        await renewing;
        if (!lost.signal.aborted) await this.#release();
      }
      await renewing;
    };
    return { lost: lost.signal, release, [Symbol.asyncDispose]: release };
  }

  /** Until it is given back or lost. Never throws. */
  async #renew(life: AbortSignal, lost: AbortController): Promise<void> {
    const { clock } = this.#deps;
    const { renewDeadlineMs, name, holder } = this.#options;
    let renewedMs = clock.monotonicMs();
    while (!life.aborted) {
      const leftMs = () => Math.max(0, renewedMs + renewDeadlineMs - clock.monotonicMs());
      await clock.sleep(Math.min(this.#retryMs(), leftMs()), { signal: life }).catch(() => undefined);
      if (life.aborted) return;
      const startMs = clock.monotonicMs();
      const result = await this.#attemptWithin(leftMs(), life);
      if (life.aborted) return;
      if (result === true) renewedMs = startMs;
      const other = this.#seen?.record.holder;
      const isTaken = result === false && other !== holder;
      if (isTaken || leftMs() === 0) {
        const why = isTaken ? `"${other}" holds it` : `it was not renewed in ${renewDeadlineMs} ms: ${result}`;
        lost.abort(new CodedError('FAILED_PRECONDITION', `Lease "${name}" is lost: ${why}`));
        return;
      }
    }
  }

  /** As an attempt; an error as its text. */
  #attemptWithin(ms: number, life: AbortSignal): Promise<boolean | string> {
    return this.#attempt(AbortSignal.any([life, AbortSignal.timeout(Math.ceil(ms))])).catch(messageOf);
  }

  /** A renewal that was cut off may have come through or may come yet: so it looks, and looks again. Never throws. */
  async #release(): Promise<void> {
    const signal = AbortSignal.timeout(this.#callMs());
    for (let attempts = 0; attempts < RELEASE_ATTEMPTS_MAX; attempts += 1) {
      const isDone = await this.#releaseOnce(signal).catch(() => true);
      if (isDone) return;
    }
  }

  /** True when it is not ours any more. */
  async #releaseOnce(signal: AbortSignal): Promise<boolean> {
    const before = await this.#get(signal);
    const record = readLease(before);
    if (before === undefined || record.holder !== this.#options.holder) return true;
    return await this.#write(releasedFrom(record, this.#deps.clock.now()), before, signal);
  }

  #retryMs(): number {
    return this.#options.retryMs * (1 + this.#deps.random() * (JITTER - 1));
  }

  /** As client-go: two calls within the time that a renewal may take. */
  #callMs(): number {
    return Math.ceil(this.#options.renewDeadlineMs / 2);
  }

  #folder(): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(this.#options.namespace)}/leases`;
  }

  #path(): string {
    return `${this.#folder()}/${encodeURIComponent(this.#options.name)}`;
  }
}
