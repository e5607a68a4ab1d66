/** What to ask for next in one swarm, and of whom; and what cannot be had by asking. */
import type { Clock } from '../../core/runtime/clock.ts';
import type { FlightSink } from '../content/blob-source.ts';
import type { Acceptance } from './acceptance.ts';
import type { Ledgers } from './ledgers.ts';
import type { LinePace } from './line-pace.ts';
import type { Neighbour, Neighbourhood } from './neighbourhood.ts';
import { STUCK_MAX } from './owner-messages.ts';
import { type Picked, type PickerView, pickPiece, pickSender } from './picker.ts';
import type { PieceLedger } from './piece-ledger.ts';
import type { PiecePlan } from './piece-plan.ts';
import type { PieceSet } from './piece-set.ts';
import type { Scoreboard } from './scoreboard.ts';
import { isLagging } from './transfer-review.ts';
import type { Transfers } from './transfers.ts';

/** A piece that nobody has yet and that takes so many times longer than usual, and so long, may as well be fetched, milliseconds. */
const FED_TIMES = 3;
const FED_MS_MIN = 3_000;
/** Without a byte for so long, pieces are asked for that nobody vouches for, milliseconds. */
const STARVED_MS = 8_000;
/** Senders of one piece at once, when it is all that is left. */
const SENDERS_MAX = 2;
/** Pieces of one member that were not kept in a dispute; beyond that nothing is read along from it there. */
const UNKEPT_MAX = 2;
const NONE: ReadonlyMap<number, number> = new Map();
/** Pieces from where a reader waits that go before all others. */
const WINDOW_PIECES = 2;

export interface WishesDeps {
  readonly zone: string;
  readonly sink: Pick<FlightSink, 'urgentGap'>;
  readonly plan: PiecePlan;
  readonly mine: PieceSet;
  readonly acceptance: Acceptance;
  readonly neighbourhood: Pick<Neighbourhood, 'all'>;
  readonly scoreboard: Scoreboard;
  readonly ledgers: Pick<Ledgers, 'isBanned'>;
  readonly ledger: PieceLedger;
  readonly transfers: Transfers;
  readonly pace: LinePace;
  readonly clock: Clock;
  readonly random: () => number;
}

export class Wishes {
  readonly #deps: WishesDeps;
  /** Holders whose word is not settled: neither they are asked, nor others for what only those answer for. */
  contested: ReadonlySet<string> = new Set();
  readonly #unkept = new Map<string, number>();

  constructor(deps: WishesDeps) {
    this.#deps = deps;
  }

  next(): Picked | undefined {
    const view = this.#view();
    if (!view.peers.some((peer) => peer.isFree)) return undefined;
    return pickPiece(view) ?? this.#pickAgain(view);
  }

  /** What this one sent was not kept, or did not come. In a dispute nobody vouches for what is read along, so whoever keeps others busy so is not believed for long. */
  notKept(name: string): void {
    if (this.#deps.acceptance.isStrict) this.#unkept.set(name, (this.#unkept.get(name) ?? 0) + 1);
  }

  /** All that is missing can be had from neighbours, and is coming. */
  isFed(): boolean {
    const { neighbourhood, ledger, mine, transfers, pace } = this.#deps;
    if (!pace.isFlowing(this.#nowMs())) return false;
    const neighbours = [...neighbourhood.all()].filter(({ member }) => !ledger.isSuspect(member.name));
    const sinceMs = this.#nowMs() - Math.max(FED_MS_MIN, pace.pieceMs * FED_TIMES);
    for (const piece of mine.missing()) {
      const isComing = transfers.of(piece).some(({ startedAtMs }) => startedAtMs >= sinceMs);
      if (!isComing && !neighbours.some(({ have }) => have.has(piece))) return false;
    }
    return true;
  }

  /** Pieces that nobody gives, though nothing else is left to ask for. */
  stuck(): number[] {
    const { mine, transfers, pace } = this.#deps;
    if (pace.isFlowing(this.#nowMs())) return [];
    const stuck: number[] = [];
    for (const piece of mine.missing()) {
      if (stuck.length >= STUCK_MAX) break;
      if (!transfers.has(piece)) stuck.push(piece);
    }
    return stuck;
  }

  #view(): PickerView {
    const { acceptance, neighbourhood, scoreboard, plan, zone, random } = this.#deps;
    const peers = [...neighbourhood.all()].map((one) => ({
      name: one.member.name,
      have: one.have,
      arriving: this.#mayReadAlong(one) ? one.arriving : NONE,
      isFree: this.#isFree(one),
      isNear: one.member.zone === zone,
      rate: scoreboard.rate(one.member.name),
      running: one.running,
    }));
    const hasHolder = acceptance.isStrict && this.#hasHolder();
    const isWanted = (piece: number) => this.#isWanted(piece, hasHolder);
    // The owner vouches for it, or not, while it comes; waiting for its word first costs a hundredth of the link.
    const isWantedArriving = (piece: number) => this.#isWanted(piece, acceptance.isStrict);
    return { count: plan.count, isWanted, isWantedArriving, window: this.#window(), peers, random };
  }

  #mayReadAlong({ member: { name } }: Neighbour): boolean {
    return !this.#deps.acceptance.isStrict || (this.#unkept.get(name) ?? 0) < UNKEPT_MAX;
  }

  #isFree({ member: { name }, running }: Neighbour): boolean {
    const { ledgers, scoreboard, plan } = this.#deps;
    if (ledgers.isBanned(name) || this.#isInDoubt(name)) return false;
    if (scoreboard.isPaused(name, this.#nowMs())) return false;
    return running < scoreboard.parallel(name, plan.pieceSizeBytes);
  }

  /** Nothing that only a doubtful one answers for; in a dispute, only what the owner vouches for, unless that will come; anything rather than nothing after a while. */
  #isWanted(piece: number, needsNoVouch: boolean): boolean {
    const { acceptance, mine, transfers, pace } = this.#deps;
    if (mine.has(piece) || transfers.has(piece)) return false;
    const vouch = acceptance.vouch(piece);
    const isUsable = acceptance.isStrict
      ? vouch !== undefined || needsNoVouch
      : vouch === undefined || !this.#isInDoubt(vouch.witness);
    return isUsable || this.#nowMs() - pace.movedAtMs > STARVED_MS;
  }

  /** One that holds the whole and is not in doubt: what it sends is told to the owner, which vouches for it then. */
  #hasHolder(): boolean {
    const { neighbourhood, ledgers } = this.#deps;
    return [...neighbourhood.all()].some(
      ({ isProven, member: { name } }) => isProven && !ledgers.isBanned(name) && !this.#isInDoubt(name),
    );
  }

  #isInDoubt(witness: string): boolean {
    return this.contested.has(witness) || this.#deps.ledger.isSuspect(witness);
  }

  /** The last pieces: one more sender for what comes slowly. */
  #pickAgain(view: PickerView): Picked | undefined {
    const { mine, plan, transfers, pace } = this.#deps;
    const now = { nowMs: this.#nowMs(), pieceMs: pace.pieceMs };
    if (transfers.pieceCount < plan.count - mine.size) return undefined;
    for (const { first, count } of transfers.firsts()) {
      if (count >= SENDERS_MAX || first.buffer.isFull) continue;
      if (!isLagging(first, now)) continue;
      const peer = pickSender(view, first.piece, [first.from]);
      if (peer !== undefined) return { piece: first.piece, peer, depth: 0 };
    }
    return undefined;
  }

  #window(): number[] {
    const { sink, plan } = this.#deps;
    const gap = sink.urgentGap(1);
    if (gap === undefined) return [];
    const first = Math.floor(gap.start / plan.pieceSizeBytes);
    return Array.from({ length: WINDOW_PIECES }, (_, at) => first + at).filter((piece) => piece < plan.count);
  }

  #nowMs(): number {
    return this.#deps.clock.monotonicMs();
  }
}
