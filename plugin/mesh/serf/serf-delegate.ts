/**
 * What a serf agent expects of a member beyond memberlist: intents to join and leave, and Lamport times in each exchange of
 * states, so that it tells "left" from "failed". (serf `delegate.go`, `serf.go`)
 */
import type { MeshEvents } from '../events.ts';
import type { Rumours } from '../gossip/rumours.ts';
import { type MemberRecord, isGone } from '../members/member-record.ts';
import { WireFault } from '../wire/wire-fault.ts';
import { Intents } from './intents.ts';
import { LamportClock } from './lamport-clock.ts';
import { PassedEvents } from './passed-events.ts';
import {
  SERF,
  readJoin,
  readLeave,
  readSerfState,
  readTime,
  writeJoin,
  writeLeave,
  writeSerfState,
} from './serf-messages.ts';

export interface SerfDelegateDeps {
  readonly selfName: string;
  readonly rumours: Rumours;
  readonly events: MeshEvents;
  /** All members that are known, those gone included. */
  readonly members: () => Iterable<Pick<MemberRecord, 'name' | 'state'>>;
  /** A member that said it would leave is gone, or one that failed is said to have left. */
  readonly onLeft: (name: string) => void;
}

export class SerfDelegate {
  readonly #deps: SerfDelegateDeps;
  readonly #clock = new LamportClock();
  readonly #eventClock = new LamportClock();
  readonly #queryClock = new LamportClock();
  readonly #intents = new Intents();
  readonly #passed = new PassedEvents();
  #isLeaving = false;

  constructor(deps: SerfDelegateDeps) {
    this.#deps = deps;
  }

  /** Tells that we mean to be here; after a join, and when an older leave of ours is still told. */
  announceJoin(): void {
    const lTime = this.#clock.time;
    this.#clock.witness(lTime);
    this.#intents.hear(this.#deps.selfName, 'join', lTime);
    this.#deps.rumours.tellUsers(writeJoin({ lTime, node: this.#deps.selfName }));
  }

  /** Tells that we go. `onTold`: enough others have heard it. */
  announceLeave(onTold: () => void): void {
    const lTime = this.#clock.time;
    this.#isLeaving = true;
    this.#clock.increment();
    this.#intents.hear(this.#deps.selfName, 'leave', lTime);
    this.#deps.rumours.tellUsers(writeLeave({ lTime, node: this.#deps.selfName }), onTold);
  }

  /** What the table says of a member: the end of a leave, or a return. */
  changed(before: MemberRecord | undefined, after: MemberRecord): void {
    if (after.state === 'dead' && this.#intents.isLeaving(after.name)) this.#deps.onLeft(after.name);
    const isBack = before !== undefined && isGone(before) && after.state === 'alive';
    if (isBack) this.#intents.settle(after.name);
  }

  /** One message, serf's type byte first; unknown ones are passed over. @throws WireFault */
  receive(message: Buffer): void {
    if (this.#isNews(message)) this.#deps.rumours.tellUsers(Buffer.from(message));
  }

  local(): Uint8Array {
    const members = [...this.#deps.members()];
    return writeSerfState({
      lTime: this.#clock.time,
      eventLTime: this.#eventClock.time,
      queryLTime: this.#queryClock.time,
      statusLTimes: new Map(members.map(({ name }) => [name, this.#intents.timeOf(name)])),
      leftMembers: members.filter(({ state }) => state === 'left').map(({ name }) => name),
    });
  }

  /** Another member's share of an exchange; one that makes no sense is dropped. */
  merge(state: Uint8Array): void {
    try {
      this.#merge(Buffer.from(state.buffer, state.byteOffset, state.byteLength));
    } catch (error) {
      if (!(error instanceof WireFault)) throw error;
      this.#deps.events.dropped(error.reason);
    }
  }

  #merge(message: Buffer): void {
    if (message[0] !== SERF.pushPull) throw new WireFault('unsupported', `Application state of type ${message[0]}`);
    const theirs = readSerfState(message);
    // Nothing has been sent at the time that a clock shows.
    this.#clock.witness(theirs.lTime - 1);
    this.#eventClock.witness(theirs.eventLTime - 1);
    this.#queryClock.witness(theirs.queryLTime - 1);
    const left = new Set(theirs.leftMembers);
    // The time of the leave itself is not told; it came after the last one that is.
    for (const name of left) this.#hearLeave(name, (theirs.statusLTimes.get(name) ?? 0) + 1);
    for (const [name, time] of theirs.statusLTimes) if (!left.has(name)) this.#hearJoin(name, time);
  }

  #isNews(message: Buffer): boolean {
    switch (message[0]) {
      case SERF.leave: {
        const { node, lTime } = readLeave(message);
        return this.#hearLeave(node, lTime);
      }
      case SERF.join: {
        const { node, lTime } = readJoin(message);
        return this.#hearJoin(node, lTime);
      }
      case SERF.userEvent:
        return this.#passed.isNews(message, readTime(message), this.#eventClock);
      case SERF.query:
        return this.#passed.isNews(message, readTime(message), this.#queryClock);
      default:
        // Answers to queries, which we never ask.
        return false;
    }
  }

  #hearJoin(name: string, time: number): boolean {
    this.#clock.witness(time);
    return time > 0 && this.#intents.hear(name, 'join', time);
  }

  #hearLeave(name: string, time: number): boolean {
    this.#clock.witness(time);
    if (name === this.#deps.selfName && !this.#isLeaving) {
      // Said before a restart, or a lie: we are here.
      if (time > this.#intents.timeOf(name)) this.announceJoin();
      return false;
    }
    const isNews = this.#intents.hear(name, 'leave', time);
    if (isNews) this.#deps.onLeft(name);
    return isNews;
  }
}
