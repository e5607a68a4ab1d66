/**
 * Who is there: SWIM's member list with incarnations, refutation and the reclaiming of dead names. A state machine that
 * says what follows from a message and does nothing else: no clock, no socket, no timer. (memberlist `state.go`)
 */
import { MEMBERS_MAX } from '../limits.ts';
import type { Alive, Dead, Suspect } from '../wire/messages.ts';
import { type MemberRecord, type MemberState, isGone } from './member-record.ts';
import { isSameBytes } from './same-bytes.ts';

/** What follows from a message. Without any field it was no news. */
export interface Verdict {
  /** To be told to others, about the member that the message was about. */
  readonly rumour?: { readonly kind: 'alive'; readonly message: Alive } | SuspectOrDead;
  /** `before` is undefined for a member never seen. */
  readonly change?: { readonly before: MemberRecord | undefined; readonly after: MemberRecord };
  readonly suspicion?: 'start' | 'clear' | 'confirm';
  /** We had to object to what was said about us: our own health is in doubt. */
  readonly isRefuted?: boolean;
  readonly refused?: 'conflict' | 'incompatible' | 'members_full';
}

type SuspectOrDead =
  | { readonly kind: 'suspect'; readonly message: Suspect }
  | { readonly kind: 'dead'; readonly message: Dead };

export interface MemberTableOptions {
  /** After so long a dead member's name may come back with another address, milliseconds. */
  readonly deadReclaimMs: number;
  readonly membersMax?: number;
}

const NO_NEWS: Verdict = {};

export class MemberTable {
  readonly #options: MemberTableOptions;
  readonly #records = new Map<string, MemberRecord>();
  readonly #selfName: string;
  #incarnation: number;
  #isLeaving = false;

  /** `self` is announced by whoever makes the table. */
  constructor(self: MemberRecord, options: MemberTableOptions) {
    this.#options = options;
    this.#selfName = self.name;
    this.#incarnation = self.incarnation;
    this.#records.set(self.name, self);
  }

  get self(): MemberRecord {
    const self = this.#records.get(this.#selfName);
    if (self === undefined) throw new Error('A member table without its own member');
    return self;
  }

  /** Members of all states that are not forgotten yet. */
  get size(): number {
    return this.#records.size;
  }

  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  get(name: string): MemberRecord | undefined {
    return this.#records.get(name);
  }

  records(): IterableIterator<MemberRecord> {
    return this.#records.values();
  }

  /** Takes a member as known without a message: simulations start from a settled mesh. */
  adopt(record: MemberRecord): void {
    this.#records.set(record.name, record);
  }

  /** Drops a member that is gone. */
  forget(name: string): void {
    const record = this.#records.get(name);
    if (record !== undefined && isGone(record) && name !== this.#selfName) this.#records.delete(name);
  }

  /** Our own metadata has changed: the news is an alive message with the next incarnation. */
  renew(meta: Uint8Array, nowMs: number): Verdict {
    if (this.#isLeaving) return NO_NEWS;
    this.#incarnation += 1;
    return this.#accept(this.self, aliveOf({ ...this.self, incarnation: this.#incarnation, meta }), nowMs);
  }

  /** We go: from now on nothing calls us back. */
  leave(nowMs: number): Verdict {
    this.#isLeaving = true;
    const { name, incarnation } = this.self;
    return this.dead({ incarnation, node: name, from: name }, nowMs);
  }

  /** A dead member had said that it would go: it has left. */
  settleLeft(name: string): Verdict {
    const before = this.#records.get(name);
    if (before?.state !== 'dead') return NO_NEWS;
    return { change: this.#put(before, { ...before, state: 'left' }) };
  }

  alive(message: Alive, nowMs: number): Verdict {
    const isSelf = message.node === this.#selfName;
    if (isSelf && this.#isLeaving) return NO_NEWS;
    if (!areVersionsSound(message.vsn)) return { refused: 'incompatible' };
    const known = this.#records.get(message.node);
    if (known === undefined) return this.#welcome(message, nowMs);
    const isMoved = known.address !== message.addr || known.port !== message.port;
    if (isMoved && !this.#mayMove(known, nowMs)) return { refused: 'conflict' };
    if (isSelf) return this.#objectToAlive(known, message);
    if (message.incarnation <= known.incarnation && !isMoved) return NO_NEWS;
    return this.#accept(known, message, nowMs);
  }

  suspect(message: Suspect, nowMs: number): Verdict {
    const known = this.#records.get(message.node);
    if (known === undefined || message.incarnation < known.incarnation) return NO_NEWS;
    if (known.state === 'suspect') return { suspicion: 'confirm', rumour: { kind: 'suspect', message } };
    if (known.state !== 'alive') return NO_NEWS;
    if (known.name === this.#selfName) return this.#refute(known, message.incarnation);
    const after = { ...known, state: 'suspect' as const, incarnation: message.incarnation, sinceMs: nowMs };
    return { rumour: { kind: 'suspect', message }, change: this.#put(known, after), suspicion: 'start' };
  }

  dead(message: Dead, nowMs: number): Verdict {
    const known = this.#records.get(message.node);
    if (known === undefined || message.incarnation < known.incarnation || isGone(known)) return NO_NEWS;
    if (known.name === this.#selfName && !this.#isLeaving) return this.#refute(known, message.incarnation);
    // Who says of itself that it is dead has left.
    const state: MemberState = message.node === message.from ? 'left' : 'dead';
    const after = { ...known, state, incarnation: message.incarnation, sinceMs: nowMs };
    return { rumour: { kind: 'dead', message }, change: this.#put(known, after), suspicion: 'clear' };
  }

  #welcome(message: Alive, nowMs: number): Verdict {
    if (this.#records.size >= (this.#options.membersMax ?? MEMBERS_MAX)) return { refused: 'members_full' };
    return this.#accept(undefined, message, nowMs);
  }

  /** A name may move when its member has left, or is dead for long enough that it was no mistake. */
  #mayMove(known: MemberRecord, nowMs: number): boolean {
    if (known.state === 'left') return true;
    return known.state === 'dead' && nowMs - known.sinceMs > this.#options.deadReclaimMs;
  }

  #accept(before: MemberRecord | undefined, message: Alive, nowMs: number): Verdict {
    const after: MemberRecord = {
      name: message.node,
      address: message.addr,
      port: message.port,
      meta: message.meta,
      vsn: message.vsn.length >= 6 ? message.vsn : (before?.vsn ?? message.vsn),
      incarnation: message.incarnation,
      state: 'alive',
      sinceMs: before?.state === 'alive' ? before.sinceMs : nowMs,
    };
    return { rumour: { kind: 'alive', message }, change: this.#put(before, after), suspicion: 'clear' };
  }

  /**
   * Somebody tells us that we are alive. After a restart others may know a later incarnation of us, or the same one with
   * other facts; both are wrong about us now.
   */
  #objectToAlive(self: MemberRecord, message: Alive): Verdict {
    if (message.incarnation < self.incarnation) return NO_NEWS;
    const isSame =
      message.incarnation === self.incarnation &&
      isSameBytes(message.meta, self.meta) &&
      isSameBytes(message.vsn, self.vsn);
    return isSame ? NO_NEWS : this.#refute(self, message.incarnation);
  }

  #refute(self: MemberRecord, accused: number): Verdict {
    this.#incarnation = Math.max(this.#incarnation, accused) + 1;
    const after = { ...self, incarnation: this.#incarnation };
    return {
      rumour: { kind: 'alive', message: aliveOf(after) },
      change: this.#put(self, after),
      suspicion: 'clear',
      isRefuted: true,
    };
  }

  #put(
    before: MemberRecord | undefined,
    after: MemberRecord,
  ): { before: MemberRecord | undefined; after: MemberRecord } {
    this.#records.set(after.name, after);
    return { before, after };
  }
}

/** The message that announces a member as it is. */
export function aliveOf(record: MemberRecord): Alive {
  return {
    incarnation: record.incarnation,
    node: record.name,
    addr: record.address,
    port: record.port,
    meta: record.meta,
    vsn: record.vsn,
  };
}

/** Absent versions are taken; those that are there must make a range. */
function areVersionsSound(vsn: Uint8Array): boolean {
  const [min = 0, max = 0] = vsn;
  return vsn.length < 3 || (min > 0 && max > 0 && min <= max);
}
