/** Asking owners who has what: batched by owner, the next owner when one does not answer, answers kept for a while. */
import type { Digest } from '../../core/oci/digest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { PeerCalls } from '../peer/peer.ts';
import type { ProvidersEvents } from './events.ts';
import { LOOK_UP_MAX, type LookUpAnswer, lookUpRequest, providerMethods, readLookUpReply } from './provider-methods.ts';
import type { LiveMembers, Provider, ProviderFinder, SwarmMember } from './providers.ts';
import { ownersOf } from './rendezvous.ts';

/** Wanted digests are gathered for so long, so that an image's layers make one call, milliseconds. */
const GATHER_MS = 2;
/** An owner that has not answered after so long is passed over, milliseconds. */
const DEADLINE_MS = 500;
/** An answer is asked for again after so long, and not believed after five times as long, milliseconds. */
const FRESH_MS = 3_000;
const USABLE_MS = 5 * FRESH_MS;
/** Answers kept: those of some hundred images. */
const ANSWERS_MAX = 10_000;
/** Digests waiting to be asked for. */
const WAITING_MAX = 4_096;

export interface LookUpsDeps {
  readonly self: string;
  readonly members: LiveMembers;
  readonly calls: PeerCalls;
  readonly clock: Clock;
  readonly events: ProvidersEvents;
  /** What this node was told itself, as an owner. */
  readonly listed: (digest: Digest) => readonly Provider[];
}

interface KnownAnswer {
  readonly providers: readonly Provider[];
  readonly atMs: number;
}

export class LookUps implements ProviderFinder {
  readonly #deps: LookUpsDeps;
  readonly #answers = new Map<Digest, KnownAnswer>();
  readonly #waiting = new Set<Digest>();
  /** Digests being asked for, each with its round. */
  readonly #asking = new Map<Digest, Promise<void>>();
  readonly #stop = new AbortController();
  #gathering: Promise<void> | undefined;

  constructor(deps: LookUpsDeps) {
    this.#deps = deps;
  }

  peek(digest: Digest): readonly Provider[] | undefined {
    const answer = this.#answers.get(digest);
    return answer !== undefined && this.#ageMs(answer) < USABLE_MS ? answer.providers : undefined;
  }

  isAsking(digest: Digest): boolean {
    return this.#asking.has(digest);
  }

  lookUp(digests: readonly Digest[]): void {
    for (const digest of digests) {
      const answer = this.#answers.get(digest);
      if (this.#asking.has(digest) || (answer !== undefined && this.#ageMs(answer) < FRESH_MS)) continue;
      if (this.#waiting.size >= WAITING_MAX) return;
      this.#waiting.add(digest);
      this.#gathering ??= this.#gather();
      this.#asking.set(digest, this.#gathering);
    }
  }

  async settled(digest: Digest, { signal }: { signal: AbortSignal }): Promise<void> {
    const round = this.#asking.get(digest);
    if (round === undefined) return;
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      // Rounds never reject.
      void round.then(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Never rejects. */
  async #gather(): Promise<void> {
    await this.#deps.clock.sleep(GATHER_MS, { signal: this.#stop.signal }).catch(() => undefined);
    const digests = [...this.#waiting];
    this.#waiting.clear();
    this.#gathering = undefined;
    await this.#askRank(digests, 0);
    for (const digest of digests) this.#asking.delete(digest);
  }

  /** Asks the first owners; those digests whose owner does not answer are asked of the next. */
  async #askRank(digests: readonly Digest[], rank: number): Promise<void> {
    if (digests.length === 0 || this.#stop.signal.aborted) return;
    const members = this.#deps.members();
    const byOwner = new Map<SwarmMember, Digest[]>();
    for (const digest of digests) {
      const owner = ownersOf(digest, members)[rank];
      if (owner === undefined) continue;
      const asked = byOwner.get(owner);
      if (asked === undefined) byOwner.set(owner, [digest]);
      else asked.push(digest);
    }
    const calls = [...byOwner].flatMap(([owner, asked]) => inBatches(asked).map((batch) => this.#ask(owner, batch)));
    const missed = (await Promise.all(calls)).flat();
    await this.#askRank(missed, rank + 1);
  }

  /** @returns the digests that it gave no answer for */
  async #ask(owner: SwarmMember, digests: readonly Digest[]): Promise<readonly Digest[]> {
    if (owner.name === this.#deps.self) {
      for (const digest of digests) this.#learn({ digest, providers: this.#deps.listed(digest) });
      return [];
    }
    try {
      const options = { signal: this.#stop.signal, deadlineMs: DEADLINE_MS };
      const reply = await this.#deps.calls.call(owner, providerMethods().lookUp, lookUpRequest(digests), options);
      const asked = new Set(digests);
      for (const answer of readLookUpReply(reply)) if (asked.delete(answer.digest)) this.#learn(answer);
      this.#deps.events.lookedUp('answered');
      return [...asked];
    } catch {
      this.#deps.events.lookedUp('failed');
      return digests;
    }
  }

  #learn({ digest, providers }: LookUpAnswer): void {
    this.#answers.delete(digest);
    const others = providers.filter(({ name }) => name !== this.#deps.self);
    this.#answers.set(digest, { providers: others, atMs: this.#deps.clock.monotonicMs() });
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > ANSWERS_MAX && oldest !== undefined) this.#answers.delete(oldest);
  }

  #ageMs(answer: KnownAnswer): number {
    return this.#deps.clock.monotonicMs() - answer.atMs;
  }
}

function inBatches(digests: readonly Digest[]): Digest[][] {
  const batches: Digest[][] = [];
  for (let at = 0; at < digests.length; at += LOOK_UP_MAX) batches.push(digests.slice(at, at + LOOK_UP_MAX));
  return batches;
}
