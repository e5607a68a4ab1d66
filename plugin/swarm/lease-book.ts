/**
 * The owner's book of who fetches which piece from the source. A lease saves traffic and never decides correctness: one that
 * is lost only costs a piece twice. Pure: time comes in.
 */

import type { LeasedPiece } from './owner-messages.ts';

/** Leases out at once in one swarm: enough to fill a link from a far source, few enough that each piece comes quickly. */
export const LEASES_OUT_MAX = 6;
/** Leases out at the very start; each piece that was brought allows one more, so that the first ones come quickly and not all at once. */
const LEASES_OUT_FIRST = 2;
/** Leases of one member at once; one that stayed the only one that can read the source need not wait for each answer. */
export const LEASES_PER_MEMBER_MAX = 1;
const LEASES_OF_ONLY_ONE_MAX = 4;
/** Where a piece takes less than this from the source, more are given at once, up to so many times as many, milliseconds. */
const QUICK_MS = 500;
const QUICK_TIMES_MAX = 8;
/** What a member may ask for at once. */
export const LEASES_WANTED_MAX = LEASES_PER_MEMBER_MAX * QUICK_TIMES_MAX;
/** A lease's time until others' are known, and its bounds, milliseconds. */
const LEASE_MS = 10_000;
const LEASE_MS_MIN = 3_000;
const LEASE_MS_MAX = 60_000;
/** A lease lasts so many times as long as one usually takes with as many out at once: they share the line of the source. */
const LEASE_TIMES = 2.5;
/** One that comes lasts so many times as long as it will take by how it came so far. */
const RENEWED_TIMES = 1.5;
/** A member at least this many times slower than usual gets a lease only when nobody else can read the source. */
const SLOW_TIMES = 2.5;
/** One that is so many times slower than usual, or than its share of the source's line, is not waited for. */
const HOPELESS_TIMES = 5;
/** The beginning of what a piece takes: a stream that joins others on a full line gets little at first. */
const BEGINNING_SHARE = 0.5;
/** A piece that comes within this is not slow, whatever is usual, milliseconds. */
const SLOW_MS_MIN = 5_000;
/** Percent. */
const ALL_HERE = 100;
/** What is missing of a piece may take so many times as long as a whole one does, before another member is sent for it. */
const PATIENCE_TIMES = 2;
/** What a holder said longer ago tells nothing, milliseconds. */
const TOLD_MS = 6_000;
/** How much a member's count of leases may be ahead of the least. */
const AHEAD_MAX = 2;
/** Leases whose time is remembered. */
const TIMES_MAX = 32;
/** A member that was told "later" by the source is not asked for so long, milliseconds. */
const LATER_MS = 10_000;

export interface GrantedLease {
  readonly piece: number;
  readonly endsInMs: number;
}

interface Lease {
  readonly member: string;
  /** Leases out when it was granted, itself included. */
  readonly amongCount: number;
  readonly grantedAtMs: number;
  endsAtMs: number;
  /** Of it that its holder had when it said so last. */
  percent: number;
  toldAtMs: number;
}

interface Reader {
  saysSlow: boolean;
  granted: number;
  lastMs: number | undefined;
  notBeforeMs: number;
}

export class LeaseBook {
  readonly #leases = new Map<number, Lease>();
  readonly #readers = new Map<string, Reader>();
  /** Piece → whose lease of it has ended though it goes on, and until when it is others' turn. */
  readonly #ended = new Map<number, { member: string; untilMs: number }>();
  #timesMs: number[] = [];
  /** What each would have taken alone, if the source's line is what bounds them. */
  #sharesMs: number[] = [];
  #broughtCount = 0;

  get out(): number {
    return this.#leases.size;
  }

  /** Some piece was brought, or is on its way. */
  get isUsed(): boolean {
    return this.#broughtCount + this.#leases.size > 0;
  }

  isLeased(piece: number): boolean {
    return this.#leases.has(piece);
  }

  /** Some member can read the source. */
  get hasReader(): boolean {
    return this.#readers.size > 0;
  }

  /** A member tells that it can read the source, or that it cannot any more. */
  setReader(member: string, canRead: boolean, saysSlow = false): void {
    const reader = this.#readers.get(member);
    if (!canRead) this.#readers.delete(member);
    else if (reader !== undefined) reader.saysSlow = saysSlow;
    else {
      // One that comes late takes turns with the others from now on; it need not catch up first.
      const granted = this.#readers.size === 0 ? 0 : Math.min(...this.#grants());
      this.#readers.set(member, { saysSlow, granted, lastMs: undefined, notBeforeMs: 0 });
    }
  }

  /** What the member says that it fetches now is all that it fetches: leases beside these are over, unknown ones are taken in. */
  settle(member: string, fetching: readonly LeasedPiece[], nowMs: number): void {
    const still = new Map(fetching.map(({ piece, percent }) => [piece, percent]));
    for (const [piece, lease] of this.#leases) {
      if (lease.member !== member) continue;
      const percent = still.get(piece);
      if (percent === undefined) this.#leases.delete(piece);
      else Object.assign(lease, { percent, toldAtMs: nowMs });
    }
    for (const [piece, percent] of [...still].slice(0, LEASES_WANTED_MAX)) {
      // One that is all here was brought with the same report.
      if (this.#leases.has(piece) || percent >= ALL_HERE || this.#isOthersTurn(member, piece, nowMs)) continue;
      this.#leases.set(piece, {
        member,
        amongCount: this.#leases.size + 1,
        grantedAtMs: nowMs,
        endsAtMs: nowMs + this.#leaseMs(),
        percent,
        toldAtMs: nowMs,
      });
    }
  }

  /** Its leases that last longer than was said, because their pieces will be here before anyone else could bring them. */
  renew(member: string, nowMs: number): GrantedLease[] {
    const renewed: GrantedLease[] = [];
    for (const [piece, lease] of this.#leases) {
      if (lease.member !== member || !this.#isComing(lease, nowMs)) continue;
      const neededMs = Math.min(LEASE_MS_MAX, (ALL_HERE / rateOf(lease)) * RENEWED_TIMES);
      if (lease.grantedAtMs + neededMs <= lease.endsAtMs) continue;
      lease.endsAtMs = lease.grantedAtMs + neededMs;
      renewed.push({ piece, endsInMs: Math.ceil(lease.endsAtMs - nowMs) });
    }
    return renewed;
  }

  /** The member has brought a piece. @returns whether it had a lease of it */
  brought(member: string, piece: number, nowMs: number): boolean {
    const lease = this.#leases.get(piece);
    if (lease?.member !== member) return false;
    this.#leases.delete(piece);
    this.#broughtCount += 1;
    const tookMs = nowMs - lease.grantedAtMs;
    const reader = this.#readers.get(member);
    if (reader !== undefined) reader.lastMs = tookMs;
    this.#timesMs = [...this.#timesMs.slice(1 - TIMES_MAX), tookMs];
    this.#sharesMs = [...this.#sharesMs.slice(1 - TIMES_MAX), tookMs / lease.amongCount];
    return true;
  }

  /** The source would not give it the piece. */
  returned(member: string, piece: number, how: { nowMs: number; reason: 'unwanted' | 'refused' | 'later' }): void {
    if (this.#leases.get(piece)?.member === member) this.#leases.delete(piece);
    if (how.reason === 'refused') this.#readers.delete(member);
    const reader = this.#readers.get(member);
    if (how.reason === 'later' && reader !== undefined) reader.notBeforeMs = how.nowMs + LATER_MS;
  }

  /** The member is gone, and its leases with it. */
  remove(member: string): void {
    this.#readers.delete(member);
    for (const [piece, lease] of this.#leases) if (lease.member === member) this.#leases.delete(piece);
  }

  /** Leases that are over: their holders are slow, or gone. */
  expire(nowMs: number): void {
    for (const [piece, lease] of this.#leases) {
      if (lease.endsAtMs <= nowMs && !this.#isComing(lease, nowMs)) this.#end(piece, lease, nowMs);
    }
  }

  /** Gives a member up to `wanted` of the pieces, in their order; at the end also those that hopelessly slow ones are at. */
  grant(member: string, pieces: Iterable<number>, ask: { wanted: number; nowMs: number }): GrantedLease[] {
    const { nowMs } = ask;
    const granted: GrantedLease[] = [];
    const reader = this.#readers.get(member);
    const room = Math.min(ask.wanted, this.#roomFor(member, nowMs));
    if (room <= 0 || reader === undefined) return granted;
    const slow = new Map<number, Lease>();
    for (const piece of pieces) {
      const lease = this.#leases.get(piece);
      const isOthersTurn = this.#readers.size > 1 && this.#isOthersTurn(member, piece, nowMs);
      if (lease !== undefined && lease.member !== member && this.#isHopeless(lease)) slow.set(piece, lease);
      if (lease !== undefined || isOthersTurn) continue;
      granted.push(this.#lease(piece, member, nowMs));
      reader.granted += 1;
      if (granted.length >= room) return granted;
    }
    for (const [piece, lease] of slow) {
      this.#end(piece, lease, nowMs);
      granted.push(this.#lease(piece, member, nowMs));
      reader.granted += 1;
      if (granted.length >= room) return granted;
    }
    // There is nothing more that it could fetch: nobody waits for its turn.
    reader.granted = Math.max(...this.#grants());
    return granted;
  }

  #lease(piece: number, member: string, nowMs: number): GrantedLease {
    const endsInMs = this.#leaseMs();
    const amongCount = this.#leases.size + 1;
    const times = { grantedAtMs: nowMs, endsAtMs: nowMs + endsInMs, toldAtMs: nowMs };
    this.#leases.set(piece, { member, amongCount, percent: 0, ...times });
    return { piece, endsInMs };
  }

  #end(piece: number, { member, grantedAtMs }: Lease, nowMs: number): void {
    this.#leases.delete(piece);
    this.#ended.set(piece, { member, untilMs: nowMs + LEASE_MS });
    const reader = this.#readers.get(member);
    if (reader !== undefined) reader.lastMs = nowMs - grantedAtMs;
  }

  /** Its lease of the piece has just ended. */
  #isOthersTurn(member: string, piece: number, nowMs: number): boolean {
    const ended = this.#ended.get(piece);
    return ended?.member === member && nowMs < ended.untilMs;
  }

  /** Its holder told of it lately, and what is missing takes no longer than another fetch and some patience. */
  #isComing(lease: Lease, nowMs: number): boolean {
    const { percent, toldAtMs, grantedAtMs } = lease;
    const rate = rateOf(lease);
    const isOver = nowMs - toldAtMs > TOLD_MS || nowMs - grantedAtMs > LEASE_MS_MAX;
    if (rate === 0 || isOver) return false;
    return (ALL_HERE - percent) / rate <= Math.max(SLOW_MS_MIN, (this.#wantedMs() ?? LEASE_MS) * PATIENCE_TIMES);
  }

  /** Far slower than others, by what its holder said last; a beginning is slow for everyone. */
  #isHopeless(lease: Lease): boolean {
    const wantedMs = this.#wantedMs();
    if (wantedMs === undefined) return false;
    if (lease.toldAtMs - lease.grantedAtMs < Math.max(LEASE_MS_MIN, wantedMs * BEGINNING_SHARE)) return false;
    const expectedMs = ALL_HERE / Math.max(rateOf(lease), Number.EPSILON);
    return expectedMs > Math.max(SLOW_MS_MIN, wantedMs * HOPELESS_TIMES);
  }

  /** What a piece takes with as many leases out; undefined before the first one was brought. */
  #wantedMs(): number | undefined {
    const usualMs = this.#usualMs();
    const shareMs = middleOf(this.#sharesMs);
    return usualMs === undefined || shareMs === undefined ? undefined : Math.max(usualMs, shareMs * this.#leases.size);
  }

  #roomFor(member: string, nowMs: number): number {
    const reader = this.#readers.get(member);
    const times = this.#quickTimes();
    const outMax = Math.min(LEASES_OUT_MAX * times, LEASES_OUT_FIRST + this.#broughtCount);
    if (reader === undefined || reader.notBeforeMs > nowMs || this.#leases.size >= outMax) return 0;
    if (!this.#isItsTurn(reader, nowMs)) return 0;
    let own = 0;
    for (const lease of this.#leases.values()) if (lease.member === member) own += 1;
    const isOnlyOne = this.#readers.size === 1 && this.#broughtCount >= LEASES_OUT_FIRST;
    const ownMax = isOnlyOne ? LEASES_OF_ONLY_ONE_MAX : LEASES_PER_MEMBER_MAX;
    return Math.min(ownMax * times - own, outMax - this.#leases.size);
  }

  /** Spread over those that can read the source; the slow ones only when nobody else can. */
  #isItsTurn(reader: Reader, nowMs: number): boolean {
    const slowMs = (this.#usualMs() ?? Number.POSITIVE_INFINITY) * SLOW_TIMES;
    const isSlow = (one: Reader) => one.saysSlow || (one.lastMs ?? 0) > slowMs;
    const others = [...this.#readers.values()].filter(
      (one) => one !== reader && one.notBeforeMs <= nowMs && !isSlow(one),
    );
    if (others.length === 0) return true;
    return !isSlow(reader) && others.every((one) => reader.granted < one.granted + AHEAD_MAX * this.#quickTimes());
  }

  #grants(): number[] {
    return [...this.#readers.values()].map((reader) => reader.granted);
  }

  #quickTimes(): number {
    const usualMs = this.#usualMs() ?? QUICK_MS;
    return Math.min(QUICK_TIMES_MAX, Math.max(1, Math.ceil(QUICK_MS / Math.max(1, usualMs))));
  }

  #leaseMs(): number {
    const shareMs = middleOf(this.#sharesMs);
    if (shareMs === undefined) return LEASE_MS;
    const expectedMs = shareMs * (this.#leases.size + 1);
    return Math.min(LEASE_MS_MAX, Math.max(LEASE_MS_MIN, Math.ceil(expectedMs * LEASE_TIMES)));
  }

  #usualMs(): number | undefined {
    return middleOf(this.#timesMs);
  }
}

/** Percent a millisecond, by what was told last; 0 for one that has just begun. */
function rateOf({ percent, grantedAtMs, toldAtMs }: Lease): number {
  return toldAtMs > grantedAtMs ? percent / (toldAtMs - grantedAtMs) : 0;
}

function middleOf(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
