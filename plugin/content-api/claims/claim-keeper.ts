/**
 * The claim rules at work: decides from memory, keeps claims until they are met, gives back those that cannot be, and
 * compares with containerd's own lists. Knows neither gRPC nor how bytes travel.
 */
import type { Digest } from '../../../core/oci/digest.ts';
import type { Clock } from '../../../core/runtime/clock.ts';
import type { Logger } from '../../../core/runtime/log.ts';
import type { Metrics } from '../../../core/runtime/metrics.ts';
import type { Containerd } from '../../containerd/containerd.ts';
import { type ContentFetcher, GIVE_UP_MS } from '../../content/content.ts';
import type { KnownBlobs } from '../../content/known-blobs.ts';
import type { BlobHolder, BlobReader } from '../../store/blob-store.ts';
import type { Claim, ClaimStore } from '../../store/claim-store.ts';
import type { Claims, LateClaim } from '../claims.ts';
import { Background } from './background.ts';
import { ClaimDecider } from './claim-decider.ts';
import type { ClaimMode } from './claim-rules.ts';
import { ContainerdWatch, type ContainerdWatchDeps } from './containerd-watch.ts';
import type { Crowd } from './crowd.ts';
import { type ClaimEvents, createClaimEvents } from './events.ts';
import { GiveBacks } from './give-backs.ts';
import { ImageNames } from './image-names.ts';
import { ManifestLearner, type ManifestLearnerDeps } from './manifest-learner.ts';
import { parseIngestRef } from './source-names.ts';
import { StandingClaims } from './standing-claims.ts';

export interface ClaimKeeperDeps {
  claimStore: ClaimStore;
  store: Pick<BlobReader, 'stat' | 'open'> & Pick<BlobHolder, 'hold'>;
  content: ContentFetcher;
  known: KnownBlobs;
  /** Absent on a node without others. */
  crowd?: Crowd;
  /** Absent when this node never calls containerd: only blobs on this disk are claimed then. */
  containerd?: Containerd;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
}

export interface ClaimKeeperOptions {
  /** Default `fleet`. */
  mode?: ClaimMode;
  giveUpMs?: number;
}

export function createClaimKeeper(deps: ClaimKeeperDeps, options: ClaimKeeperOptions = {}): Claims {
  return new ClaimKeeper(deps, options);
}

class ClaimKeeper implements Claims {
  readonly #mode: ClaimMode;
  readonly #events: ClaimEvents;
  readonly #background: Background;
  readonly #decider: ClaimDecider;
  readonly #standing: StandingClaims;
  readonly #giveBacks: GiveBacks;
  readonly #learner: ManifestLearner | undefined;
  readonly #watch: ContainerdWatch | undefined;

  constructor(given: ClaimKeeperDeps, { mode = 'fleet', giveUpMs = GIVE_UP_MS }: ClaimKeeperOptions) {
    const events = createClaimEvents(given.log, given.metrics);
    this.#mode = mode;
    this.#events = events;
    this.#background = new Background((error) => events.taskFailed(error));
    const deps = { ...given, mode, giveUpMs, events, background: this.#background };
    this.#giveBacks = new GiveBacks(deps);
    this.#standing = new StandingClaims({
      ...deps,
      giveBack: (digest, reason) => this.#giveBacks.begin(digest, reason),
    });
    const parts = { ...deps, standing: this.#standing, giveBacks: this.#giveBacks };
    const ears = given.containerd && listening({ ...parts, containerd: given.containerd });
    this.#learner = ears?.learner;
    this.#watch = ears?.watch;
    this.#decider = new ClaimDecider({ ...parts, ...(this.#learner && { learner: this.#learner }) });
  }

  async start({ signal }: { signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted();
    this.#standing.resume();
    this.#watch?.start();
  }

  async stop(): Promise<void> {
    this.#watch?.stop();
    await this.#background.stop();
  }

  decide(digest: Digest): Promise<Claim | undefined> {
    return this.#decider.decide(digest);
  }

  async decideLate(
    { ref, total }: { ref: string; total: number },
    options: { signal: AbortSignal },
  ): Promise<LateClaim | undefined> {
    const { digest } = parseIngestRef(ref);
    return digest && (await this.#decider.decideLate(digest, { ...options, sizeBytes: total }));
  }

  givesLocal(digest: Digest): boolean {
    this.#events.answered(digest, this.#mode === 'off' ? 'no' : 'local');
    return this.#mode !== 'off';
  }

  claim(digest: Digest): Claim | undefined {
    return this.#standing.get(digest);
  }

  asked(digest: Digest): Claim | undefined {
    return this.#standing.asked(digest);
  }

  claims(): Iterable<Claim> {
    return this.#standing.list();
  }

  released(digest: Digest): void {
    this.#standing.end(digest);
  }

  committed(digest: Digest, ref: string): void {
    this.#giveBacks.forget(digest);
    this.#standing.met(digest);
    this.#learner?.committed(digest, ref);
  }

  wasRead(digest: Digest): void {
    this.#learner?.wasRead(digest);
  }
}

type Parts = Omit<ContainerdWatchDeps, 'names' | 'learner'> & Omit<ManifestLearnerDeps, 'names'>;

/** What follows containerd. There is nothing to learn for when nothing is claimed that is not here. */
function listening(parts: Parts): { watch: ContainerdWatch; learner?: ManifestLearner } {
  const names = new ImageNames(parts);
  const learner = parts.mode === 'fleet' ? { learner: new ManifestLearner({ ...parts, names }) } : {};
  return { ...learner, watch: new ContainerdWatch({ ...parts, ...learner, names }) };
}
