/**
 * This node in cold crowds: of those whose containerd asks at once for a blob that nobody has, its owner names a few whose
 * containerd fetches it; everyone else waits for those. Remembers what owners said.
 */
import type { Digest } from '../../core/oci/digest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { PeerCalls } from '../peer/peer.ts';
import type { LiveMembers, SwarmMember } from '../providers/providers.ts';
import { ownersOf } from '../providers/rendezvous.ts';
import type { SwarmEvents } from './events.ts';
import { readNameWriterReply, writeNameWriter } from './neighbour-messages.ts';
import { OWNER_SILENT_MS } from './owner-line.ts';
import { swarmMethods } from './swarm-methods.ts';
import type { CrowdAnswer } from './writer-book.ts';

/** An answer is asked for again after so long, and not believed after five times as long, milliseconds. */
const FRESH_MS = 3_000;
const USABLE_MS = 5 * FRESH_MS;
/** Blobs with an answer: those of some forty images. */
const ANSWERS_MAX = 4_096;

export interface CrowdDeps {
  readonly self: string;
  readonly members: LiveMembers;
  readonly calls: PeerCalls;
  readonly clock: Clock;
  readonly events: SwarmEvents;
  /** This node as an owner: asked without a call. */
  readonly desk: { nameWriter(member: SwarmMember, digest: Digest): CrowdAnswer };
}

export class Crowd {
  readonly #deps: CrowdDeps;
  readonly #answers = new Map<Digest, { answer: CrowdAnswer; atMs: number }>();
  readonly #asking = new Map<Digest, Promise<void>>();
  readonly #stop = new AbortController();

  constructor(deps: CrowdDeps) {
    this.#deps = deps;
  }

  /** The owner's last answer; undefined when it was not asked, did not answer, or long ago. */
  word(digest: Digest): CrowdAnswer | 'asking' | undefined {
    const known = this.#answers.get(digest);
    if (known !== undefined && this.#ageMs(known.atMs) < USABLE_MS) return known.answer;
    return this.#asking.has(digest) ? 'asking' : undefined;
  }

  /** Asks in the background, unless it just did. */
  ask(digest: Digest): void {
    const known = this.#answers.get(digest);
    const isFresh = known !== undefined && this.#ageMs(known.atMs) < FRESH_MS;
    if (isFresh || this.#asking.has(digest) || this.#asking.size >= ANSWERS_MAX || this.#stop.signal.aborted) return;
    const asking = this.#ask(digest).finally(() => this.#asking.delete(digest));
    this.#asking.set(digest, asking);
  }

  /** Asks again about a blob that was asked about before. */
  refresh(digest: Digest): void {
    if (this.#answers.has(digest)) this.ask(digest);
  }

  /** Resolves when nobody is being asked about it. Never rejects. */
  async settled(digest: Digest): Promise<void> {
    await this.#asking.get(digest);
  }

  /** It is here. */
  forget(digest: Digest): void {
    this.#answers.delete(digest);
  }

  stop(): void {
    this.#stop.abort(new CodedError('CANCELLED', 'Node is stopping'));
  }

  /** The first owner that answers. Never rejects. */
  async #ask(digest: Digest): Promise<void> {
    for (const owner of ownersOf(digest, this.#deps.members())) {
      try {
        this.#learn(digest, await this.#askOne(owner, digest));
        return;
      } catch (err) {
        if (this.#stop.signal.aborted) return;
        this.#deps.events.ownerSilent({ owner: owner.name, digest, err });
      }
    }
    this.#answers.delete(digest);
  }

  async #askOne(owner: SwarmMember, digest: Digest): Promise<CrowdAnswer> {
    const { self, desk, calls } = this.#deps;
    if (owner.name === self) return desk.nameWriter(owner, digest);
    const options = { signal: this.#stop.signal, deadlineMs: OWNER_SILENT_MS };
    const reply = await calls.call(owner, swarmMethods().nameWriter, writeNameWriter(self, digest), options);
    return readNameWriterReply(reply);
  }

  #learn(digest: Digest, answer: CrowdAnswer): void {
    this.#answers.delete(digest);
    this.#answers.set(digest, { answer, atMs: this.#deps.clock.monotonicMs() });
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > ANSWERS_MAX && oldest !== undefined) this.#answers.delete(oldest);
  }

  #ageMs(sinceMs: number): number {
    return this.#deps.clock.monotonicMs() - sinceMs;
  }
}
