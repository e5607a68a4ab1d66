/**
 * Giving claims back: containerd forgets the blob in every namespace, so that its next pull fetches it by itself.
 * containerd records a blob only at its own commit, a little after `Info` said yes, and a record that it wrote after we
 * looked would brick the image. So it is looked again for a while, and only looks that containerd answered count.
 */
import type { Digest } from '../../../core/oci/digest.ts';
import type { Clock } from '../../../core/runtime/clock.ts';
import { Semaphore } from '../../../core/runtime/semaphore.ts';
import type { Containerd } from '../../containerd/containerd.ts';
import type { BlobHolder, BlobReader } from '../../store/blob-store.ts';
import type { ClaimStore } from '../../store/claim-store.ts';
import type { Background } from './background.ts';
import { BoundedMap } from '../../../core/runtime/bounded-map.ts';
import type { ClaimEvents } from './events.ts';

/** 31 seconds in all: far longer than containerd takes from `Info` to its record, however busy the node. */
const LOOK_AFTER_MS = [0, 50, 100, 250, 500, 1000, 2000, 4000, 8000, 15_000];
/** After a look that containerd did not answer, unless it connects anew before. */
const TRY_AGAIN_MS = 2000;
/** Looks at once, over all claims. */
const LOOKS_MAX = 4;
const WAITING_MAX = 100_000;
/** Digests not to be claimed again; the oldest is forgotten, and would at worst be given back once more. */
const REMEMBERED_MAX = 10_000;
/** What else an image names is left to containerd for so long: the pull after a failed one must not meet the next bad claim. */
const SIBLINGS_MS = 10 * 60_000;

export interface GiveBacksDeps {
  /** Absent when this node never calls containerd: a claim of an earlier run then waits for a run that does. */
  containerd?: Containerd;
  store: Pick<BlobReader, 'stat'> & Pick<BlobHolder, 'hold'>;
  claimStore: ClaimStore;
  clock: Clock;
  background: Background;
  events: ClaimEvents;
}

export class GiveBacks {
  readonly #deps: GiveBacksDeps;
  readonly #running = new Set<Digest>();
  readonly #remembered = new BoundedMap<Digest, true>({ entriesMax: REMEMBERED_MAX });
  /** When each was given back, by the monotonic clock, whatever became of it since. */
  readonly #begunAtMs = new BoundedMap<Digest, number>({ entriesMax: REMEMBERED_MAX });
  #lastBegunAtMs = Number.NEGATIVE_INFINITY;
  readonly #looks = new Semaphore({ permits: LOOKS_MAX, waitersMax: WAITING_MAX });

  constructor(deps: GiveBacksDeps) {
    this.#deps = deps;
  }

  /** Whether it was given back, or is being, and has not been whole here since. */
  has(digest: Digest): boolean {
    return this.#running.has(digest) || this.#remembered.has(digest);
  }

  /** Whether one of these was given back lately; they are only looked at when anything was. */
  hasLately(digests: Iterable<Digest>): boolean {
    const sinceMs = this.#deps.clock.monotonicMs() - SIBLINGS_MS;
    if (this.#lastBegunAtMs < sinceMs) return false;
    for (const digest of digests) if ((this.#begunAtMs.get(digest) ?? Number.NEGATIVE_INFINITY) >= sinceMs) return true;
    return false;
  }

  isRunning(digest: Digest): boolean {
    return this.#running.has(digest);
  }

  /** It is whole here, so it may be claimed again one day. */
  forget(digest: Digest): void {
    this.#remembered.delete(digest);
  }

  begin(digest: Digest, reason: string): void {
    this.#lastBegunAtMs = this.#deps.clock.monotonicMs();
    this.#begunAtMs.set(digest, this.#lastBegunAtMs);
    this.#remembered.set(digest, true);
    if (this.#running.has(digest) || this.#deps.background.hasEnded) return;
    this.#running.add(digest);
    this.#deps.events.givingBack(digest, reason);
    this.#deps.background.spawn((signal) => this.#run(digest, signal).finally(() => this.#running.delete(digest)));
  }

  async #run(digest: Digest, signal: AbortSignal): Promise<void> {
    let isTold = false;
    for (const afterMs of LOOK_AFTER_MS) {
      if (afterMs > 0) await this.#deps.clock.sleep(afterMs, { signal });
      if ((await this.#lookUntilAnswered(digest, signal)) === 'whole') break;
      if (!isTold) this.#deps.events.givenBack(digest);
      isTold = true;
    }
    this.#deps.claimStore.removeClaim(digest);
  }

  async #lookUntilAnswered(digest: Digest, signal: AbortSignal): Promise<'absent' | 'whole'> {
    for (;;) {
      try {
        return await this.#looks.run(() => this.#look(digest, signal), { signal });
      } catch (error) {
        signal.throwIfAborted();
        this.#deps.events.giveBackDelayed(digest, error);
        await this.#nextChance(signal);
      }
    }
  }

  /** Asked right before each deletion: a blob that became whole meanwhile (containerd wrote it by itself) stays. */
  async #look(digest: Digest, signal: AbortSignal): Promise<'absent' | 'whole'> {
    const { containerd } = this.#deps;
    if (containerd === undefined) return this.#forever(signal);
    for (const namespace of await containerd.namespaces({ signal })) {
      const record = await containerd.content(namespace, digest, { signal });
      if (await this.#isWhole(digest)) return 'whole';
      if (record !== undefined) await containerd.deleteContent(namespace, digest, { signal });
    }
    return (await this.#isWhole(digest)) ? 'whole' : 'absent';
  }

  async #isWhole(digest: Digest): Promise<boolean> {
    const blob = this.#deps.store.stat(digest);
    if (blob === undefined) return false;
    if (!blob.holds.has('containerd')) await this.#deps.store.hold(digest, 'containerd');
    this.forget(digest);
    return true;
  }

  /** While containerd is away its next connect is waited for; a call that failed otherwise is made again a little later. */
  async #nextChance(signal: AbortSignal): Promise<void> {
    const { containerd, clock } = this.#deps;
    const nap = new AbortController();
    const wake = () => nap.abort();
    const forget = containerd?.onConnect(wake);
    signal.addEventListener('abort', wake, { once: true });
    do await clock.sleep(TRY_AGAIN_MS, { signal: nap.signal }).catch(() => undefined);
    while (!nap.signal.aborted && containerd?.isReachable() === false);
    signal.removeEventListener('abort', wake);
    forget?.();
    signal.throwIfAborted();
  }

  #forever(signal: AbortSignal): Promise<never> {
    return new Promise((_resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }
}
