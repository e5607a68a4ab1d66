/**
 * Leases kept by the owners of a name: the first live one decides, after hearing what the next two know, and tells them what it decided, so
 * that its successor goes on from there. Work is saved so, and nothing is decided: in a split mesh each side has a holder of its own.
 */
import { digestOf } from '../../../core/oci/digest.ts';
import type { Clock } from '../../../core/runtime/clock.ts';
import { CodedError, codeOf, isCode } from '../../../core/runtime/errors.ts';
import type { PeerAddress, PeerCalls, PeerHandler, PeerMethod } from '../../peer/peer.ts';
import { callerMember } from '../../providers/caller-name.ts';
import type { LiveMembers, PeerService, SwarmMember } from '../../providers/providers.ts';
import { ownersOf } from '../../providers/rendezvous.ts';
import { textIn } from '../../providers/wire-fields.ts';
import { seedingMethods } from '../relay/seeding-methods.ts';
import type { LeaseAsk, LeaseWord } from '../seed.ts';
import { LeaseBook, type LeaseState } from './lease-book.ts';
import { askMessage, readAsk, readState, readWord, stateMessage, wordMessage } from './lease-messages.ts';

/** An owner that does not answer within it is passed over for the next. */
const OWNER_MS = 4_000;
/** What another owner knows is waited for so long. */
const SHARE_MS = 1_000;

export interface LeaseDeskDeps {
  readonly self: string;
  readonly members: LiveMembers;
  readonly calls: PeerCalls;
  readonly clock: Clock;
}

type Call = { readonly signal: AbortSignal };

export class LeaseDesk implements PeerService {
  readonly handlers: PeerService['handlers'];
  readonly #deps: LeaseDeskDeps;
  readonly #book = new LeaseBook();

  constructor(deps: LeaseDeskDeps) {
    this.#deps = deps;
    const { lease, shareLease } = seedingMethods();
    this.handlers = [
      { method: lease, handler: this.#onLease },
      { method: shareLease, handler: this.#onShare },
    ];
  }

  /** @throws CodedError UNAVAILABLE when no owner answers */
  async ask(ask: LeaseAsk, { signal }: Call): Promise<LeaseWord> {
    const failures: unknown[] = [];
    for (const owner of this.#owners(ask.name)) {
      try {
        if (owner.name === this.#deps.self) return await this.#decide(ask, signal);
        const message = askMessage(ask, this.#deps.self);
        return readWord(await this.#call(owner, seedingMethods().lease, message, { signal, deadlineMs: OWNER_MS }));
      } catch (error) {
        signal.throwIfAborted();
        if (!isCode(error, 'UNAVAILABLE', 'UNAUTHENTICATED', 'FAILED_PRECONDITION')) throw error;
        failures.push(error);
      }
    }
    if (failures.length === 0) return this.#decide(ask, signal);
    const cause = new AggregateError(failures, `Owners failed: ${failures.map(codeOf).join(', ')}`);
    throw new CodedError('UNAVAILABLE', `No keeper of lease "${ask.name}" answers`, { cause });
  }

  async #decide(ask: LeaseAsk, signal: AbortSignal): Promise<LeaseWord> {
    const { clock } = this.#deps;
    const before = this.#book.look(ask.name, clock.monotonicMs());
    for (const heard of await this.#share(before, signal)) this.#book.learn(heard, clock.monotonicMs());
    const word = this.#book.decide(ask, clock.monotonicMs());
    await this.#share(this.#book.look(ask.name, clock.monotonicMs()), signal);
    return word;
  }

  /** Tells the other owners a state. @returns what those that answer know */
  async #share(state: LeaseState, signal: AbortSignal): Promise<LeaseState[]> {
    const others = this.#owners(state.name).filter(({ name }) => name !== this.#deps.self);
    const message = { from: this.#deps.self, state: stateMessage(state) };
    const { shareLease } = seedingMethods();
    const told = others.map((owner) => this.#call(owner, shareLease, message, { signal, deadlineMs: SHARE_MS }));
    const replies = await Promise.allSettled(told);
    return replies.flatMap((reply) => (reply.status === 'fulfilled' ? [readState(reply.value)] : []));
  }

  #owners(name: string): SwarmMember[] {
    return ownersOf(digestOf(`shoal lease ${name}`), this.#deps.members());
  }

  #call(peer: PeerAddress, method: PeerMethod, message: object, options: Call & { deadlineMs: number }) {
    return this.#deps.calls.call(peer, method, message, options);
  }

  readonly #onLease: PeerHandler = async (request, { peer, signal }) => {
    callerMember(peer, textIn(request, 'from'), this.#deps.members());
    const ask = readAsk(request);
    return wordMessage(ask.name, await this.#decide(ask, signal));
  };

  readonly #onShare: PeerHandler = async (request, { peer }) => {
    callerMember(peer, textIn(request, 'from'), this.#deps.members());
    const { clock } = this.#deps;
    const told = readState(request);
    this.#book.learn(told, clock.monotonicMs());
    return { state: stateMessage(this.#book.look(told.name, clock.monotonicMs())) };
  };
}
