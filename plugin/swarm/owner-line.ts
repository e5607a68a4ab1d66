/** The line from one swarm's member to the blob's owner: reports and answers, and the next owner when one is silent. */
import type { Digest } from '../../core/oci/digest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError, isCode } from '../../core/runtime/errors.ts';
import type { PeerCalls } from '../peer/peer.ts';
import type { LiveMembers, SwarmMember } from '../providers/providers.ts';
import { ownersOf } from '../providers/rendezvous.ts';
import type { SwarmEvents } from './events.ts';
import { type MemberReport, type OwnerReply, readOwnerReply, writeReport } from './owner-messages.ts';
import { swarmMethods } from './swarm-methods.ts';

/** An owner that does not answer within this is silent, milliseconds. */
export const OWNER_SILENT_MS = 2_000;
/** One that was silent is tried again after so long; one that refused, sooner, milliseconds. */
const SILENT_AGAIN_MS = 10_000;
const REFUSED_AGAIN_MS = 2_000;
/** Between tries when no owner answers, milliseconds. */
const LOST_AGAIN_MS = 1_000;
/** An owner's wish for the time between calls is kept within these, milliseconds. */
const CALL_MS_MIN = 100;
const CALL_MS_MAX = 10_000;
const WOKEN = new CodedError('CANCELLED', 'Woken');

export interface OwnerLineDeps {
  readonly self: string;
  readonly digest: Digest;
  readonly members: LiveMembers;
  readonly calls: PeerCalls;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: SwarmEvents;
  /** This node as an owner: asked without a call. */
  readonly desk: { coordinate(member: SwarmMember, report: MemberReport): OwnerReply };
  readonly report: () => MemberReport;
  /** An owner has answered that report. */
  readonly onReply: (reply: OwnerReply, report: MemberReport) => void;
}

export class OwnerLine {
  readonly #deps: OwnerLineDeps;
  readonly #passedOverUntilMs = new Map<string, number>();
  #owner: string | undefined;
  #lostSinceMs: number | undefined;
  #dueAtMs = 0;
  #lastAtMs = 0;
  #callMs = CALL_MS_MIN;
  #wake: () => void = () => undefined;

  constructor(deps: OwnerLineDeps) {
    this.#deps = deps;
  }

  get owner(): string | undefined {
    return this.#owner;
  }

  /** For how long no owner has answered, milliseconds; 0 while one does. */
  lostForMs(): number {
    return this.#lostSinceMs === undefined ? 0 : this.#deps.clock.monotonicMs() - this.#lostSinceMs;
  }

  /** There is something to say, or to hear: the next call is made within the owner's own pace. */
  soon(): void {
    const soonMs = Math.max(CALL_MS_MIN, this.#callMs / 5);
    this.#dueAtMs = Math.min(this.#dueAtMs, this.#lastAtMs + soonMs);
    this.#wake();
  }

  /** The next call is made at once. */
  now(): void {
    this.#dueAtMs = 0;
    this.#wake();
  }

  /** Until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    while (!signal.aborted) {
      const waitMs = this.#dueAtMs - clock.monotonicMs();
      if (waitMs > 0) {
        await this.#sleep(waitMs, signal);
        continue;
      }
      this.#lastAtMs = clock.monotonicMs();
      this.#dueAtMs = Number.POSITIVE_INFINITY;
      const hasAnswer = await this.#ask(signal);
      const pauseMs = hasAnswer ? this.#callMs : LOST_AGAIN_MS;
      this.#dueAtMs = Math.min(this.#dueAtMs, clock.monotonicMs() + pauseMs * (0.75 + this.#deps.random() / 2));
    }
  }

  /** One last word. Never rejects. */
  async last(): Promise<void> {
    const owner = this.#owners()[0];
    if (owner !== undefined) await this.#askOne(owner, new AbortController().signal).catch(() => undefined);
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    const waking = new AbortController();
    const wake = () => waking.abort(WOKEN);
    this.#wake = wake;
    signal.addEventListener('abort', wake, { once: true });
    const limitMs = Math.min(ms, CALL_MS_MAX);
    await this.#deps.clock.sleep(limitMs, { signal: waking.signal }).catch(() => undefined);
    signal.removeEventListener('abort', wake);
  }

  /** @returns whether an owner answered */
  async #ask(signal: AbortSignal): Promise<boolean> {
    for (const owner of this.#owners()) {
      try {
        await this.#askPatiently(owner, signal);
        this.#owner = owner.name;
        this.#lostSinceMs = undefined;
        return true;
      } catch (err) {
        if (signal.aborted) return false;
        const isRefusal = isCode(err, 'FAILED_PRECONDITION', 'RESOURCE_EXHAUSTED');
        const againMs = isRefusal ? REFUSED_AGAIN_MS : SILENT_AGAIN_MS;
        this.#passedOverUntilMs.set(owner.name, this.#deps.clock.monotonicMs() + againMs);
        this.#deps.events.ownerSilent({ owner: owner.name, digest: this.#deps.digest, err });
      }
    }
    this.#owner = undefined;
    this.#lostSinceMs ??= this.#deps.clock.monotonicMs();
    return false;
  }

  /**
   * Asks once more where nothing came back in time: if one that is only busy were passed over, two would grant leases. One that refuses,
   * or whose connection breaks, is not asked again.
   */
  async #askPatiently(owner: SwarmMember, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const startedAtMs = clock.monotonicMs();
    try {
      await this.#askOne(owner, signal);
    } catch (error) {
      const isLate = clock.monotonicMs() - startedAtMs >= OWNER_SILENT_MS;
      if (signal.aborted || !isLate) throw error;
      await this.#askOne(owner, signal);
    }
  }

  async #askOne(owner: SwarmMember, signal: AbortSignal): Promise<void> {
    const { self, desk, calls, report } = this.#deps;
    const told = report();
    if (owner.name === self) return this.#take(desk.coordinate(owner, told), told);
    const options = { signal, deadlineMs: OWNER_SILENT_MS };
    const answer = await calls.call(owner, swarmMethods().coordinate, writeReport(self, told), options);
    const reply = readOwnerReply(answer);
    if (reply.epoch === 0) throw new CodedError('UNAVAILABLE', `Owner "${owner.name}" gave no epoch`);
    this.#take(reply, told);
  }

  #take(reply: OwnerReply, told: MemberReport): void {
    this.#callMs = Math.min(CALL_MS_MAX, Math.max(CALL_MS_MIN, reply.callInMs));
    this.#deps.onReply(reply, told);
  }

  #owners(): SwarmMember[] {
    const nowMs = this.#deps.clock.monotonicMs();
    const owners = ownersOf(this.#deps.digest, this.#deps.members());
    return owners.filter(({ name }) => (this.#passedOverUntilMs.get(name) ?? 0) <= nowMs);
  }
}
