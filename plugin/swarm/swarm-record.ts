/** What the owner knows of one swarm, and what it answers each member. Decisions only: time and chance come in. */
import { CodedError } from '../../core/runtime/errors.ts';
import { LeaseBook } from './lease-book.ts';
import { NeighbourGraph } from './neighbour-graph.ts';
import type { MemberReport, OwnerReply, ReplyLease } from './owner-messages.ts';
import type { PiecePlan } from './piece-plan.ts';
import { PieceSet } from './piece-set.ts';
import { DISPUTE_LEVEL_MAX, VouchTable } from './vouch-table.ts';

/** Members of one swarm. */
export const MEMBERS_MAX = 10_000;
/** A new owner that follows another one grants nothing for so long, while it hears what is there, milliseconds. */
export const COLLECT_MS = 1_500;
/** Members call so often: each has its share of what the owner can take, milliseconds. */
const CALL_MS_MIN = 500;
const CALL_MS_MAX = 5_000;
const CALL_MS_PER_MEMBER = 2;
/** A member that has missed so many calls, and some time more, is left out. */
const CALLS_MISSED_MAX = 3;
const GRACE_MS = 2_000;
/** A piece that somebody has, but that has come to nobody else for so long, is asked of the source when a member says that it is stuck. */
const STUCK_MS = 3_000;
/** Members that hold the whole are said to give it; when nobody gets a new piece for so long, the source is asked anyway, milliseconds. */
const GIVEN_MS = 30_000;
/** A holder that a fetch contradicts is not asked for so long at most; another fetch settles it before, milliseconds. */
const CONTESTED_MS = 5_000;
/** Members that fetch at once, from which on a piece from the source costs little beside what a wrong holder costs them. */
const CROWD_MIN = 8;
/** Of so many pieces one is fetched to compare a holder, at most. */
const PIECES_PER_COMPARISON = 64;
/** Members that must have had a second wrong whole before every piece is fetched twice: one that is broken may have any number. */
const TWICE_WRONG_MIN = 2;
/** Holders of the whole told to a member beside its neighbours. */
const SEEDS_MAX = 3;

interface Member {
  have: PieceSet;
  seenAtMs: number;
  wrongWholes: number;
}

export interface RecordView {
  readonly nowMs: number;
  /** Live members that say they hold the whole, the asker's zone first. */
  readonly holders: readonly string[];
  /** Members whose Write of it runs: those bring the low pieces by themselves. */
  readonly writers: readonly string[];
}

export class SwarmRecord {
  readonly plan: PiecePlan;
  readonly #members = new Map<string, Member>();
  readonly #held: Uint16Array;
  /** When one more member had a piece. */
  readonly #spreadAtMs: Float64Array;
  readonly #graph: NeighbourGraph;
  readonly #leases = new LeaseBook();
  readonly #vouches = new VouchTable();
  readonly #contestedSinceMs = new Map<string, number>();
  #epoch = 0;
  #collectingUntilMs = 0;
  #grewAtMs: number;
  #touchedAtMs: number;

  constructor(plan: PiecePlan, how: { random: () => number; nowMs: number }) {
    this.plan = plan;
    this.#held = new Uint16Array(plan.count);
    this.#spreadAtMs = new Float64Array(plan.count).fill(how.nowMs);
    this.#graph = new NeighbourGraph(how.random);
    this.#grewAtMs = how.nowMs;
    this.#touchedAtMs = how.nowMs;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get memberCount(): number {
    return this.#members.size;
  }

  /** Some member can read the source. */
  get hasReader(): boolean {
    return this.#leases.hasReader;
  }

  get touchedAtMs(): number {
    return this.#touchedAtMs;
  }

  memberNames(): Iterable<string> {
    return this.#members.keys();
  }

  /** @throws CodedError INVALID_ARGUMENT for pieces of another size, RESOURCE_EXHAUSTED when the swarm is full */
  coordinate(name: string, report: MemberReport, view: RecordView): OwnerReply {
    const { nowMs } = view;
    this.#touchedAtMs = nowMs;
    this.#enterEpoch(report.epoch, nowMs);
    this.#dropSilent(nowMs);
    if (report.isLeaving) this.remove(name);
    else this.#take(name, report, nowMs);
    const holders = view.holders.filter((holder) => !this.#vouches.isDoubted(holder));
    const contested = this.#contested(nowMs);
    const given = holders.filter((holder) => !contested.includes(holder));
    const leases = report.isLeaving ? [] : this.#grant(name, report, { ...view, holders: given });
    const isBehind = report.epoch !== this.#epoch;
    const { vouches, seen } = this.#vouches.since(isBehind ? 0 : report.vouchesSeen);
    return {
      epoch: this.#epoch,
      leases,
      neighbours: [...this.#graph.neighbours(name), ...seedsFor(name, { ...view, holders })],
      vouches,
      vouchesSeen: seen,
      callInMs: this.#callMs(),
      members: this.#members.size,
      isDisputed: this.#vouches.level > 0,
      isVoteWanted: this.#vouches.isUnsettled,
      doubted: this.#vouches.doubted(),
      contested,
    };
  }

  remove(name: string): void {
    const member = this.#members.get(name);
    if (member === undefined) return;
    this.#count(member.have, -1);
    this.#members.delete(name);
    this.#graph.remove(name);
    this.#leases.remove(name);
  }

  /** One that comes after an owner that others have met collects what is there before it grants. */
  #enterEpoch(met: number, nowMs: number): void {
    if (this.#epoch === 0) {
      this.#epoch = met + 1;
      if (met > 0) this.#collectingUntilMs = nowMs + COLLECT_MS;
    } else if (met > this.#epoch) {
      this.#epoch = met + 1;
      this.#collectingUntilMs = nowMs + COLLECT_MS;
    }
  }

  #take(name: string, report: MemberReport, nowMs: number): void {
    const have = PieceSet.parse(report.have, this.plan.count);
    if (have === undefined)
      throw new CodedError('INVALID_ARGUMENT', `Report has no bits for ${this.plan.count} pieces`);
    const { level } = this.#vouches;
    this.#see(name, { have, seenAtMs: nowMs, wrongWholes: report.wrongWholes });
    this.#leases.setReader(name, report.canRead, report.isSlow);
    this.#takeVouches(name, report, nowMs);
    for (const { piece, reason } of report.returned) this.#leases.returned(name, piece, { nowMs, reason });
    this.#leases.settle(
      name,
      report.leased.filter(({ piece }) => piece < this.plan.count),
      nowMs,
    );
    if (report.wrongWholes > this.#vouches.level && this.#isDisputedAnew()) this.#vouches.dispute();
    // What was vouched for before counts no more: it is told, and heard, again.
    if (this.#vouches.level > level) this.#epoch += 1;
  }

  #see(name: string, seen: Member): void {
    const { have, seenAtMs: nowMs } = seen;
    const member = this.#members.get(name);
    for (let piece = 0; piece < have.count; piece += 1) {
      if (have.has(piece) && member?.have.has(piece) !== true) this.#spreadAtMs[piece] = nowMs;
    }
    if (member === undefined) {
      if (this.#members.size >= MEMBERS_MAX) throw new CodedError('RESOURCE_EXHAUSTED', 'Swarm is full');
      this.#graph.add(name);
      this.#members.set(name, seen);
    } else {
      this.#count(member.have, -1);
      if (have.size > member.have.size) this.#grewAtMs = nowMs;
      Object.assign(member, seen);
    }
    this.#count(have, 1);
  }

  /** A vouch for oneself is taken at once; one for another only as a rumour of the first that was heard. */
  #takeVouches(name: string, report: MemberReport, nowMs: number): void {
    for (const vouch of report.vouches) {
      if (vouch.piece >= this.plan.count) continue;
      const isOwn = vouch.witness === name;
      const wasLeased = isOwn && this.#leases.brought(name, vouch.piece, nowMs);
      // Once something was wrong, only those count that were sent for it.
      this.#vouches.add(vouch, wasLeased || (isOwn && this.#vouches.level === 0));
    }
  }

  /** A whole was wrong after all that was done about the last one. */
  #isDisputedAnew(): boolean {
    const { level } = this.#vouches;
    if (level >= DISPUTE_LEVEL_MAX) return false;
    const wrong = [...this.#members.values()].filter(({ wrongWholes }) => wrongWholes > level).length;
    return wrong >= (level === 0 ? 1 : Math.min(TWICE_WRONG_MIN, this.#members.size));
  }

  /** Not for ever: where nobody can fetch, nothing will ever settle it. */
  #contested(nowMs: number): string[] {
    const names = this.#vouches.contested();
    for (const name of this.#contestedSinceMs.keys()) if (!names.has(name)) this.#contestedSinceMs.delete(name);
    for (const name of names) if (!this.#contestedSinceMs.has(name)) this.#contestedSinceMs.set(name, nowMs);
    return [...names].filter((name) => nowMs - (this.#contestedSinceMs.get(name) ?? nowMs) < CONTESTED_MS);
  }

  #grant(name: string, report: MemberReport, view: RecordView): ReplyLease[] {
    const { nowMs } = view;
    const renewed = this.#leases.renew(name, nowMs).map((lease) => ({ ...lease, isForVote: false }));
    this.#leases.expire(nowMs);
    if (!report.canRead || nowMs < this.#collectingUntilMs) return renewed;
    const compared = this.#grantComparison(name, view);
    const wanted = report.leasesWanted - compared.length;
    if (wanted <= 0) return [...renewed, ...compared];
    const granted = this.#leases.grant(name, this.#grantable(name, report, view), { wanted, nowMs });
    const others = granted.map((lease) => ({ ...lease, isForVote: this.#vouches.isTied(lease.piece) }));
    return [...renewed, ...compared, ...others];
  }

  /** Of what holders gave a crowd, a piece of each from the source: it finds also one that sends other bytes than it has. */
  #grantComparison(name: string, { holders, nowMs }: RecordView): ReplyLease[] {
    const all = this.#vouches.comparable(holders, this.#comparisonsMax());
    const pieces = all.filter((piece) => !this.#leases.isLeased(piece) && !this.#vouches.hasVoted(piece, name));
    if (pieces.length === 0) return [];
    return this.#leases.grant(name, pieces, { wanted: 1, nowMs }).map((lease) => ({ ...lease, isForVote: true }));
  }

  /** Pieces that nobody has, lowest first because readers start there; from the end while a Write brings the low ones. */
  *#grantable(name: string, { stuck }: MemberReport, view: RecordView): Iterable<number> {
    const { count } = this.plan;
    const isGiven = view.holders.length > 0 && view.nowMs - this.#grewAtMs < GIVEN_MS && !this.#needsComparison();
    const needsVote = this.#vouches.needsVote(view.holders);
    for (let at = 0; at < count; at += 1) {
      const piece = view.writers.length > 0 ? count - 1 - at : at;
      if (needsVote(piece)) {
        if (!this.#vouches.hasVoted(piece, name)) yield piece;
      } else if (!isGiven && this.#held[piece] === 0) yield piece;
    }
    // A piece that still spreads will come; one that does not is held by nobody who gives it.
    const beforeMs = view.nowMs - STUCK_MS - this.#callMs();
    for (const piece of stuck) {
      const hasTried = this.#vouches.hasVotedAnew(piece, name);
      if (!hasTried && (this.#spreadAtMs[piece] ?? view.nowMs) < beforeMs) yield piece;
    }
  }

  /** A crowd takes one piece from the source although a member holds the whole, so that a holder that is wrong is found early. */
  #needsComparison(): boolean {
    return this.#comparisonsMax() > 0 && !this.#leases.isUsed;
  }

  #comparisonsMax(): number {
    return this.#members.size < CROWD_MIN ? 0 : Math.floor(this.plan.count / PIECES_PER_COMPARISON);
  }

  #dropSilent(nowMs: number): void {
    const limitMs = this.#callMs() * CALLS_MISSED_MAX + GRACE_MS;
    for (const [name, { seenAtMs }] of this.#members) if (nowMs - seenAtMs > limitMs) this.remove(name);
  }

  #callMs(): number {
    return Math.min(CALL_MS_MAX, Math.max(CALL_MS_MIN, this.#members.size * CALL_MS_PER_MEMBER));
  }

  #count(have: PieceSet, change: 1 | -1): void {
    for (let piece = 0; piece < have.count; piece += 1) {
      if (have.has(piece)) this.#held[piece] = (this.#held[piece] ?? 0) + change;
    }
  }
}

/** Members outside of the swarm that give what they have. */
function seedsFor(name: string, { holders, writers }: RecordView): string[] {
  return [...writers, ...holders].filter((one) => one !== name).slice(0, SEEDS_MAX);
}
