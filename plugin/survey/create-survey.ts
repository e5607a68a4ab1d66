/** The survey over the peer port: answers what others ask of this node, and asks them in rounds while somebody looks. */
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError, messageOf } from '../../core/runtime/errors.ts';
import type { PeerCalls, PeerHandler } from '../peer/peer.ts';
import { callerMember } from '../providers/caller-name.ts';
import { memberNamed } from '../providers/member-named.ts';
import type { LiveMembers, SwarmMember } from '../providers/providers.ts';
import { textIn } from '../providers/wire-fields.ts';
import { ASKED_PER_SECOND_MAX, dueMembers } from './rounds.ts';
import { readFacts, readReach, surveyMethods, writeFacts } from './survey-methods.ts';
import type { MemberFacts, Reached, Survey, Surveyed } from './survey.ts';

/** Milliseconds. */
const TICK_MS = 200;
const ASK_PER_TICK = Math.max(1, Math.round((ASKED_PER_SECOND_MAX * TICK_MS) / 1000));
const TELL_DEADLINE_MS = 3_000;
/** The other side pings for up to half of it. */
const REACH_DEADLINE_MS = 6_000;
/** The rounds go on for so long when nobody looks any more: a page that is loaded again finds them going. */
const LINGER_MS = 60_000;
/** Questions on their way at once. */
const ASKING_MAX = 32;

export interface SurveyDeps {
  /** This node's name in the mesh. */
  readonly self: string;
  readonly members: LiveMembers;
  readonly calls: PeerCalls;
  /** Pings a member's mesh port over both transports. */
  readonly ping: (name: string) => Promise<{ udp: boolean; tcp: boolean }>;
  readonly clock: Clock;
}

export function createSurvey(deps: SurveyDeps): Survey {
  return new PeerSurvey(deps);
}

class PeerSurvey implements Survey {
  readonly handlers;
  readonly #deps: SurveyDeps;
  readonly #known = new Map<string, Surveyed>();
  readonly #asking = new Set<string>();
  #own: (() => Promise<MemberFacts>) | undefined;
  #watchers = 0;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(deps: SurveyDeps) {
    this.#deps = deps;
    const { tell, reach } = surveyMethods();
    this.handlers = [
      { method: tell, handler: this.#onTell },
      { method: reach, handler: this.#onReach },
    ];
  }

  async start(): Promise<void> {
    this.#stop = new AbortController();
    this.#running = this.#rounds(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new CodedError('CANCELLED', 'The survey ends'));
    await this.#running;
  }

  speakAs(own: () => Promise<MemberFacts>): void {
    this.#own = own;
  }

  watch(): () => void {
    this.#watchers += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#watchers -= 1;
      this.#lookedAtMs = this.#deps.clock.monotonicMs();
    };
  }

  surveyed(): ReadonlyMap<string, Surveyed> {
    return this.#known;
  }

  async reach(name: string, { signal }: { signal: AbortSignal }): Promise<Reached> {
    const member = memberNamed(this.#deps.members(), name);
    if (member === undefined || name === this.#deps.self) {
      throw new CodedError('NOT_FOUND', `"${name.slice(0, 100)}" is no other live member with our tag`);
    }
    const [ping, told, back] = await Promise.all([
      this.#deps.ping(name),
      this.#ask(member, signal).catch((error: unknown) => ({ reason: messageOf(error) })),
      this.#askBack(member, signal).catch(() => undefined),
    ]);
    const isTold = 'facts' in told;
    return {
      ...ping,
      peer: isTold ? true : { reason: told.reason },
      backUdp: back?.udp,
      backTcp: back?.tcp,
      skewMs: isTold ? told.skewMs : undefined,
    };
  }

  async #rounds(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    while (!signal.aborted) {
      if (this.#isLookedAt()) this.#round(signal);
      await clock.sleep(TICK_MS, { signal }).catch(() => undefined);
    }
  }

  #isLookedAt(): boolean {
    return this.#watchers > 0 || this.#deps.clock.monotonicMs() - this.#lookedAtMs < LINGER_MS;
  }

  #round(signal: AbortSignal): void {
    const members = this.#deps.members();
    this.#forgetGone(members);
    const others = members.filter(({ name }) => name !== this.#deps.self && !this.#asking.has(name));
    const countMax = Math.min(ASK_PER_TICK, ASKING_MAX - this.#asking.size);
    for (const member of dueMembers(others, this.#known, { nowMs: this.#deps.clock.now(), countMax })) {
      void this.#survey(member, signal);
    }
  }

  #forgetGone(members: readonly SwarmMember[]): void {
    if (this.#known.size === 0) return;
    for (const name of this.#known.keys()) if (memberNamed(members, name) === undefined) this.#known.delete(name);
  }

  async #survey(member: SwarmMember, signal: AbortSignal): Promise<void> {
    const { name } = member;
    const askedAtMs = this.#deps.clock.now();
    this.#asking.add(name);
    try {
      this.#known.set(name, { askedAtMs, failure: undefined, ...(await this.#ask(member, signal)) });
    } catch (error) {
      const before = this.#known.get(name);
      const failure = messageOf(error);
      if (!signal.aborted) this.#known.set(name, { askedAtMs, failure, facts: before?.facts, skewMs: before?.skewMs });
    } finally {
      this.#asking.delete(name);
    }
  }

  async #ask(member: SwarmMember, signal: AbortSignal): Promise<{ facts: MemberFacts; skewMs: number }> {
    const { calls, clock } = this.#deps;
    const sentMs = clock.now();
    const reply = await calls.call(member, surveyMethods().tell, {}, { signal, deadlineMs: TELL_DEADLINE_MS });
    const facts = readFacts(reply);
    // As Cristian did it: half of the round trip ago.
    return { facts, skewMs: Math.round(facts.nowMs - (sentMs + clock.now()) / 2) };
  }

  async #askBack(member: SwarmMember, signal: AbortSignal): Promise<{ udp: boolean; tcp: boolean }> {
    const { calls, self } = this.#deps;
    const { reach } = surveyMethods();
    return readReach(await calls.call(member, reach, { from: self }, { signal, deadlineMs: REACH_DEADLINE_MS }));
  }

  readonly #onTell: PeerHandler = async () => {
    if (this.#own === undefined) throw new CodedError('UNAVAILABLE', 'The node is starting');
    return writeFacts(await this.#own());
  };

  readonly #onReach: PeerHandler = async (request, { peer }) =>
    this.#deps.ping(callerMember(peer, textIn(request, 'from'), this.#deps.members()).name);
}
