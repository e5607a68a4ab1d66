/**
 * Answers `Info` for blobs that are not whole here: gathers the facts, waits a little where that may help, and claims. What ran out
 * of time there is decided when the Write begins.
 */
import type { Digest } from '../../../core/oci/digest.ts';
import { BoundedMap } from '../../../core/runtime/bounded-map.ts';
import type { Clock } from '../../../core/runtime/clock.ts';
import type { Containerd } from '../../containerd/containerd.ts';
import type { Route, Want } from '../../content/blob-source.ts';
import type { ContentFetcher } from '../../content/content.ts';
import type { KnownBlobs } from '../../content/known-blobs.ts';
import type { BlobReader } from '../../store/blob-store.ts';
import type { Claim } from '../../store/claim-store.ts';
import { CLAIM_BOUND_MS, LATE_CLAIM_MS, type LateClaim } from '../claims.ts';
import { type ClaimMode, type Decision, decideClaim } from './claim-rules.ts';
import type { Crowd } from './crowd.ts';
import type { ClaimEvents } from './events.ts';
import type { GiveBacks } from './give-backs.ts';
import { Latch } from './latch.ts';
import type { ManifestLearner } from './manifest-learner.ts';
import type { StandingClaims } from './standing-claims.ts';
import { wantOf } from './want.ts';

/** Left of the bound for writing the claim's file and for a busy event loop. */
const SLACK_MS = 20;
const WAIT_MS = CLAIM_BOUND_MS - SLACK_MS;
/** Looks within one wait; each follows some news, and there are few. */
const LOOKS_MAX = 16;
/** Digests decided at once; containerd asks one at a time, since its transaction waits. */
const DECIDING_MAX = 1024;
/** Digests remembered as undecided in time. */
const UNDECIDED_MAX = 4_096;
/** After a late wait in vain, blobs of the same image are not waited for that long, milliseconds: a pull would wait for each. */
const IN_VAIN_MS = 60_000;

export interface ClaimDeciderDeps {
  store: Pick<BlobReader, 'stat'>;
  content: Pick<ContentFetcher, 'prepare' | 'route' | 'settled'>;
  crowd?: Crowd;
  known: KnownBlobs;
  containerd?: Pick<Containerd, 'isReachable'>;
  learner?: Pick<ManifestLearner, 'pending' | 'siblings'>;
  standing: StandingClaims;
  giveBacks: GiveBacks;
  mode: ClaimMode;
  clock: Clock;
  events: ClaimEvents;
}

/** `local`: whole on this disk by now, where `Info` looks again when no claim comes. */
type Outcome = Decision | { answer: 'local'; reason?: undefined };

export class ClaimDecider {
  readonly #deps: ClaimDeciderDeps;
  readonly #deciding = new Map<Digest, Promise<Claim | undefined>>();
  /** What `Info` had no time for. */
  readonly #undecided = new BoundedMap<Digest, true>({ entriesMax: UNDECIDED_MAX });
  readonly #inVainAtMs = new BoundedMap<Digest, number>({ entriesMax: UNDECIDED_MAX });

  constructor(deps: ClaimDeciderDeps) {
    this.#deps = deps;
  }

  /** Questions about one digest at the same time share one answer. */
  decide(digest: Digest): Promise<Claim | undefined> {
    const standing = this.#deps.standing.asked(digest);
    if (standing !== undefined) return Promise.resolve(standing);
    const running = this.#deciding.get(digest);
    if (running !== undefined) return running;
    if (this.#deciding.size >= DECIDING_MAX) return Promise.resolve(undefined);
    const deciding = this.#decide(digest).finally(() => this.#deciding.delete(digest));
    this.#deciding.set(digest, deciding);
    return deciding;
  }

  /** For a Write of `sizeBytes` that has not begun, where `decide` ran out of time; undefined when containerd is to fetch it. */
  async decideLate(
    digest: Digest,
    { sizeBytes, signal }: { sizeBytes: number; signal: AbortSignal },
  ): Promise<LateClaim | undefined> {
    const { known, store, events } = this.#deps;
    if (!this.#undecided.has(digest) || this.#wasInVain(digest)) return undefined;
    this.#undecided.delete(digest);
    const outcome = await this.#lookFor(digest, LATE_CLAIM_MS, signal);
    if (signal.aborted) return undefined;
    const isSame = (store.stat(digest) ?? known.get(digest))?.size === sizeBytes;
    if (outcome.answer === 'local' && isSame) return { digest, size: sizeBytes };
    if (outcome.answer === 'yes' && isSame) return this.#make(digest);
    if (outcome.answer === 'wait') this.#inVainAtMs.set(digest, this.#deps.clock.monotonicMs());
    events.leftToWrite(digest, outcome.reason);
    return undefined;
  }

  async #decide(digest: Digest): Promise<Claim | undefined> {
    return this.#answer(digest, await this.#lookFor(digest, WAIT_MS));
  }

  /** Looks until something but waiting is to be said, so long at most. */
  async #lookFor(digest: Digest, ms: number, signal?: AbortSignal): Promise<Outcome> {
    const first = this.#look(digest);
    if (first.answer !== 'wait') return first;
    const bound = new AbortController();
    const either = signal === undefined ? bound.signal : AbortSignal.any([bound.signal, signal]);
    const expiry = this.#deps.clock.sleep(ms, { signal: either }).catch(() => undefined);
    void expiry.then(() => bound.abort());
    const last = await this.#lookUntil(digest, either);
    bound.abort();
    return last;
  }

  #wasInVain(digest: Digest): boolean {
    const sinceMs = this.#deps.clock.monotonicMs() - IN_VAIN_MS;
    const isLately = (one: Digest) => (this.#inVainAtMs.get(one) ?? Number.NEGATIVE_INFINITY) > sinceMs;
    return isLately(digest) || [...(this.#deps.learner?.siblings(digest) ?? [])].some(isLately);
  }

  async #lookUntil(digest: Digest, signal: AbortSignal): Promise<Outcome> {
    let outcome: Outcome;
    let looks = 0;
    do {
      await this.#news(digest, signal);
      outcome = this.#look(digest);
      looks += 1;
    } while (outcome.answer === 'wait' && !signal.aborted && looks < LOOKS_MAX);
    return outcome;
  }

  #answer(digest: Digest, outcome: Outcome): Claim | undefined {
    const { events } = this.#deps;
    if (outcome.answer === 'yes') return this.#make(digest);
    // `Info` looks again, and counts it when it gives it.
    if (outcome.answer === 'local') return undefined;
    const answer = outcome.answer === 'wait' ? 'timeout' : outcome.answer;
    if (answer === 'timeout') this.#undecided.set(digest, true);
    events.answered(digest, answer, outcome.reason);
    return undefined;
  }

  /** From memory. */
  #look(digest: Digest): Outcome {
    const { store, known, mode, containerd, giveBacks, learner } = this.#deps;
    if (store.stat(digest) !== undefined) return { answer: 'local' };
    return decideClaim({
      mode,
      isContainerdReachable: containerd?.isReachable() ?? false,
      wasGivenBack: giveBacks.has(digest),
      hasBadSibling: giveBacks.hasLately(learner?.siblings(digest) ?? []),
      known: known.get(digest),
      isBeingLearned: learner?.pending(digest) !== undefined,
      route: () => this.#route(digest),
    });
  }

  #route(digest: Digest): Route {
    const { content, crowd } = this.#deps;
    const want = this.#want(digest);
    if (content.route(want) === 'yes') return 'yes';
    crowd?.gather([want]);
    content.prepare([want]);
    return content.route(want);
  }

  /** Resolves when something may have changed, or when the bound has passed. */
  async #news(digest: Digest, signal: AbortSignal): Promise<void> {
    const { known, content, learner } = this.#deps;
    const bound = new Latch();
    signal.addEventListener('abort', () => bound.open(), { once: true });
    if (signal.aborted) bound.open();
    const learned = learner?.pending(digest) ?? bound.opened;
    const want = this.#want(digest);
    const isAsking = known.get(digest) !== undefined && content.route(want) === 'asking';
    const settled = isAsking ? content.settled(want, { signal }).catch(() => bound.opened) : bound.opened;
    await Promise.race([learned, settled, bound.opened]);
  }

  /** The claim's file is written before the yes. A claim that cannot be written is not made. */
  #make(digest: Digest): Claim | undefined {
    const { standing, events } = this.#deps;
    const made = standing.asked(digest);
    if (made !== undefined) return made;
    try {
      const claim = standing.make(this.#want(digest));
      events.answered(digest, 'fleet');
      return claim;
    } catch (error) {
      events.claimNotWritten(digest, error);
      return undefined;
    }
  }

  #want(digest: Digest): Want {
    const { known } = this.#deps;
    return wantOf(known, digest, known.get(digest)?.size ?? 0);
  }
}
