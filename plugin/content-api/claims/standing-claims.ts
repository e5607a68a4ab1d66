/**
 * Claims that stand: each with a flight that is to meet it. One that cannot be met is handed to whoever gives it back;
 * its file stays until that is done, so that a killed daemon takes it up again.
 */
import type { Digest } from '../../../core/oci/digest.ts';
import { messageOf } from '../../../core/runtime/errors.ts';
import type { Clock } from '../../../core/runtime/clock.ts';
import type { Want } from '../../content/blob-source.ts';
import type { ContentFetcher, FlightStatus } from '../../content/content.ts';
import type { Claim, ClaimStore } from '../../store/claim-store.ts';
import type { Background } from './background.ts';
import { afterFailure } from './claim-rules.ts';
import type { ClaimEvents } from './events.ts';

/** Between a flight that failed and the next one. */
const AGAIN_BASE_MS = 500;
const AGAIN_MAX_MS = 5000;

export interface StandingClaimsDeps {
  claimStore: ClaimStore;
  content: Pick<ContentFetcher, 'fetch' | 'unwant' | 'route'>;
  /** Takes over a claim that cannot be met; it stands no more. */
  giveBack(digest: Digest, reason: string): void;
  giveUpMs: number;
  clock: Clock;
  background: Background;
  events: ClaimEvents;
}

interface Standing {
  readonly claim: Claim;
  failures: number;
  bytesPresent: number;
  /** When the last new byte came, or the claim began to stand; milliseconds since the epoch. */
  progressAtMs: number;
  /** When containerd asked for it last, or the claim began to stand; milliseconds since the epoch. */
  askedAtMs: number;
}

/** When containerd was last known to want a blob; milliseconds since the epoch. */
export interface Wanted {
  readonly digest: Digest;
  readonly askedAtMs: number;
}

export class StandingClaims {
  readonly #deps: StandingClaimsDeps;
  readonly #standing = new Map<Digest, Standing>();

  constructor(deps: StandingClaimsDeps) {
    this.#deps = deps;
  }

  get(digest: Digest): Claim | undefined {
    return this.#standing.get(digest)?.claim;
  }

  /** `Info` asks for it: one that is about to be written into containerd's records is not an old one. */
  asked(digest: Digest): Claim | undefined {
    const standing = this.#standing.get(digest);
    if (standing !== undefined) standing.askedAtMs = this.#deps.clock.now();
    return standing?.claim;
  }

  wanted(): Wanted[] {
    return [...this.#standing.values()].map(({ claim, askedAtMs }) => ({ digest: claim.digest, askedAtMs }));
  }

  list(): Claim[] {
    return [...this.#standing.values()].map(({ claim }) => claim);
  }

  /** Takes up every claim that an earlier run left. */
  resume(): void {
    for (const claim of this.#deps.claimStore.claims()) this.#begin(claim);
  }

  /** Makes a claim: its file first, then its flight. Errors: those of writing the file; nothing stands then. */
  make(want: Want): Claim {
    const claim = { ...want, claimedAtMs: this.#deps.clock.now() };
    this.#deps.claimStore.putClaim(claim);
    this.#begin(claim);
    return claim;
  }

  /** The blob is whole and containerd's: nothing is left to keep. */
  met(digest: Digest): void {
    if (!this.#standing.delete(digest)) return;
    this.#deps.claimStore.removeClaim(digest);
    this.#deps.events.met(digest);
  }

  /** containerd does not want it any more. */
  end(digest: Digest): void {
    if (!this.#standing.delete(digest)) return;
    this.#deps.claimStore.removeClaim(digest);
    this.#deps.content.unwant(digest, 'containerd');
  }

  #begin(claim: Claim): void {
    const standing = {
      claim,
      failures: 0,
      bytesPresent: 0,
      progressAtMs: this.#deps.clock.now(),
      askedAtMs: claim.claimedAtMs,
    };
    this.#standing.set(claim.digest, standing);
    this.#fly(standing);
  }

  #fly(standing: Standing): void {
    const { digest } = standing.claim;
    const flight = this.#deps.content.fetch(standing.claim, 'containerd', { giveUpMs: this.#deps.giveUpMs });
    flight.done
      .then(
        () => {
          if (this.#isCurrent(standing)) this.met(digest);
        },
        (error: unknown) => {
          if (this.#isCurrent(standing)) this.#failed(standing, error, flight.status());
        },
      )
      .catch((error: unknown) => this.#deps.events.taskFailed(error));
  }

  /** False for a claim that has ended meanwhile, and for every one when the daemon stops. */
  #isCurrent(standing: Standing): boolean {
    return !this.#deps.background.hasEnded && this.#standing.get(standing.claim.digest) === standing;
  }

  #failed(standing: Standing, error: unknown, status: FlightStatus): void {
    const { content, giveUpMs, clock, events } = this.#deps;
    const { digest } = standing.claim;
    // It waits for its turn among many, as after a restart; that is not to get no byte.
    if (status.hadNoPlace === true) standing.progressAtMs = clock.now();
    if (status.bytesPresent > standing.bytesPresent) {
      standing.bytesPresent = status.bytesPresent;
      standing.progressAtMs = status.lastByteAtMs;
    }
    const idleMs = clock.now() - standing.progressAtMs;
    if (afterFailure({ error, route: content.route(standing.claim), idleMs, giveUpMs }) === 'again') {
      events.flightFailed(digest, error);
      this.#flyLater(standing);
      return;
    }
    this.#standing.delete(digest);
    content.unwant(digest, 'containerd');
    this.#deps.giveBack(digest, messageOf(error));
  }

  #flyLater(standing: Standing): void {
    const waitMs = Math.min(AGAIN_MAX_MS, AGAIN_BASE_MS * 2 ** standing.failures);
    standing.failures += 1;
    this.#deps.background.spawn(async (signal) => {
      await this.#deps.clock.sleep(waitMs, { signal });
      if (this.#isCurrent(standing)) this.#fly(standing);
    });
  }
}
