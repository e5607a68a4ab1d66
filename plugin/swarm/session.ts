/** This node as a member of one swarm, from its first report to the last piece. */
import { CodedError } from '../../core/runtime/errors.ts';
import type { FlightSink, Want } from '../content/blob-source.ts';
import { Acceptance } from './acceptance.ts';
import type { BufferRoom } from './buffer-room.ts';
import { Downloads } from './downloads.ts';
import type { SwarmEvents } from './events.ts';
import type { Ledgers } from './ledgers.ts';
import { LEASES_PER_MEMBER_MAX, LEASES_WANTED_MAX } from './lease-book.ts';
import type { ExchangeMessage, NeighbourNews, NeighbourState } from './neighbour-messages.ts';
import { Neighbourhood } from './neighbourhood.ts';
import type { OwnerDesk } from './owner-desk.ts';
import { OwnerLine } from './owner-line.ts';
import {
  type MemberReport,
  type OwnerReply,
  type ReturnedLease,
  type ReturnReason,
  VOUCHES_MAX,
} from './owner-messages.ts';
import type { PieceBuffer } from './piece-buffer.ts';
import { type PiecePlan, wholePiecesOf } from './piece-plan.ts';
import { PieceSet } from './piece-set.ts';
import type { Scoreboard } from './scoreboard.ts';
import type { SwarmDeps, SwarmStatus } from './swarm.ts';
import type { Vouch } from './vouch-table.ts';

/** Transfers are looked at, and pauses that have ended are noticed, so often, milliseconds. */
const REVIEW_MS = 250;
/** With no owner at all a node fetches alone after this and as much again by chance, milliseconds. */
const ALONE_AFTER_MS = 1_500;
/** What one that is alone gives itself for a piece, milliseconds. */
const ALONE_LEASE_MS = 60_000;
/** Without a byte for so long the swarm gives up, milliseconds. */
const STUCK_MS = 15_000;
/** Without a byte for so long the source is asked whether it gives this node anything. */
const SOURCE_AFTER_MS = 2_000;
/** Providers taken as neighbours until the owner names better ones. */
const PROVIDERS_MAX = 6;

export interface SessionDeps extends SwarmDeps {
  readonly zone: string;
  readonly plan: PiecePlan;
  readonly events: SwarmEvents;
  readonly scoreboard: Scoreboard;
  readonly ledgers: Ledgers;
  readonly room: BufferRoom;
  readonly desk: OwnerDesk;
  /** Finds out whether this node can read the source. */
  readonly askSource: () => void;
  readonly downloadsMax: number;
  /** Gives others what it has, and takes leases; a leech does neither. */
  readonly isSharing: boolean;
}

export class Session {
  readonly plan: PiecePlan;
  readonly #deps: SessionDeps;
  readonly #want: Want;
  readonly #sink: FlightSink;
  readonly #mine: PieceSet;
  readonly #acceptance: Acceptance;
  readonly #neighbourhood: Neighbourhood;
  readonly #downloads: Downloads;
  readonly #line: OwnerLine;
  readonly #over = new AbortController();
  readonly #accepted: Vouch[] = [];
  readonly #vouches: Vouch[] = [];
  #returned: ReturnedLease[] = [];
  #vouchesTold = 0;
  #vouchesSeen = 0;
  #epoch = 0;
  #isRefused = false;
  #isVoteWanted = false;
  #movedAtMs: number;
  #aloneAfterMs: number;
  #end: { error?: unknown } | undefined;

  constructor(deps: SessionDeps, want: Want, sink: FlightSink) {
    this.#deps = deps;
    this.#want = want;
    this.#sink = sink;
    this.plan = deps.plan;
    this.#mine = this.#piecesHere();
    this.#acceptance = new Acceptance(this.plan.count, (name) => deps.ledgers.of(want.digest).isSuspect(name));
    this.#movedAtMs = deps.clock.monotonicMs();
    this.#aloneAfterMs = ALONE_AFTER_MS * (1 + deps.random());
    this.#neighbourhood = this.#createNeighbourhood();
    this.#downloads = this.#createDownloads();
    this.#line = this.#createLine();
  }

  /** Resolves when no piece is missing. @throws CodedError UNAVAILABLE when nothing comes any more; the signal's reason */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = () => this.#finish({ error: signal.reason });
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#meetProviders();
    const running = [this.#line.run(this.#over.signal), this.#neighbourhood.run(this.#over.signal), this.#review()];
    this.#endIfWhole();
    await Promise.all(running);
    signal.removeEventListener('abort', onAbort);
    await this.#downloads.close();
    await this.#line.last();
    if (this.#end?.error !== undefined) throw this.#end.error;
  }

  /** What neighbours are told. */
  state(): NeighbourState {
    const unproven = { isProven: false, isWriting: false };
    if (!this.#deps.isSharing) return { have: new PieceSet(this.plan.count).bytes(), arriving: [], ...unproven };
    return { have: this.#mine.bytes(), arriving: [...this.#downloads.transfers.arriving()], ...unproven };
  }

  /** A neighbour told what it has. @returns what it is told in turn */
  heard(name: string, message: ExchangeMessage): NeighbourNews {
    if (message.size !== this.plan.sizeBytes) throw new CodedError('NOT_FOUND', 'Blob of that size is not here');
    return this.#neighbourhood.heard(name, message);
  }

  /** A piece on its way, to be read along. */
  buffer(piece: number): PieceBuffer | undefined {
    return this.#downloads.transfers.bufferOf(piece);
  }

  status(): SwarmStatus {
    return {
      digest: this.#want.digest,
      size: this.plan.sizeBytes,
      pieces: this.plan.count,
      piecesHere: this.#mine.size,
      have: this.#mine.bytes(),
      neighbours: this.#neighbourhood.names(),
      owner: this.#line.owner,
      leases: this.#downloads.transfers.leased().length,
      bytesFromPeers: this.#downloads.bytesFromPeers,
      bytesFromSource: this.#downloads.bytesFromSource,
    };
  }

  #createNeighbourhood(): Neighbourhood {
    return new Neighbourhood({
      ...this.#deps,
      blob: { digest: this.#want.digest, size: this.plan.sizeBytes },
      pieceCount: this.plan.count,
      isBanned: (name) => this.#deps.ledgers.isBanned(name),
      state: () => this.state(),
      accepted: this.#accepted,
      pieceMs: () => this.#downloads.pace.pieceMs,
      onNews: (name, news) => {
        this.#acceptance.fromNeighbour(name, news.vouches);
        if (news.isProven) this.#downloads.holderSaid(name, news.vouches);
        this.#downloads.pumpSoon();
      },
    });
  }

  #createDownloads(): Downloads {
    const { providers } = this.#deps;
    return new Downloads({
      ...this.#deps,
      want: this.#want,
      sink: this.#sink,
      mine: this.#mine,
      acceptance: this.#acceptance,
      neighbourhood: this.#neighbourhood,
      onPiece: (accepted) => {
        // On the wire a vouch without a witness is none.
        this.#accepted.push({ ...accepted, witness: accepted.witness || this.#deps.self });
        providers.holds(this.#want.digest, 'fetching', this.#mine.size);
        this.#neighbourhood.tell();
        if (accepted.witness === this.#deps.self) this.#neighbourhood.confront();
        this.#endIfWhole();
      },
      onVouch: (vouch) => {
        this.#vouches.push(vouch);
        if (vouch.witness === this.#deps.self) this.#line.now();
        else this.#line.soon();
      },
      onChange: () => this.#neighbourhood.tell(),
      onBytes: () => {
        this.#movedAtMs = this.#nowMs();
        this.#sink.moving?.();
      },
      onVouchWanted: () => this.#line.soon(),
      onReturned: (piece, reason) => this.#giveBack(piece, reason),
      onBroken: (error) => this.#finish({ error }),
    });
  }

  #createLine(): OwnerLine {
    return new OwnerLine({
      ...this.#deps,
      digest: this.#want.digest,
      report: () => this.#report(),
      onReply: (reply, report) => this.#onReply(reply, report),
    });
  }

  #report(): MemberReport {
    const isEnded = this.#end !== undefined;
    const leased = this.#downloads.transfers.leased();
    const canRead = this.#deps.isSharing && !this.#isRefused && this.#deps.origin.route(this.#want) === 'yes';
    const needsNone = !this.#acceptance.isStrict && !this.#isVoteWanted && this.#downloads.wishes.isFed();
    return {
      digest: this.#want.digest,
      size: this.plan.sizeBytes,
      epoch: this.#epoch,
      have: this.state().have,
      canRead: canRead && !isEnded,
      leasesWanted: canRead && !isEnded && !needsNone ? Math.max(0, LEASES_WANTED_MAX - leased.length) : 0,
      leased,
      returned: this.#returned,
      vouches: this.#vouches.slice(this.#vouchesTold, this.#vouchesTold + VOUCHES_MAX),
      vouchesSeen: this.#vouchesSeen,
      wrongWholes: this.#deps.ledgers.of(this.#want.digest).wrongWholes,
      isLeaving: isEnded && !this.#mine.isFull,
      stuck: isEnded ? [] : this.#downloads.wishes.stuck(),
      isSlow: this.#downloads.pace.isSlow,
    };
  }

  #onReply(reply: OwnerReply, report: MemberReport): void {
    const told = new Set(report.returned);
    this.#returned = this.#returned.filter((one) => !told.has(one));
    if (reply.epoch === this.#epoch) this.#vouchesTold += report.vouches.length;
    else this.#enterEpoch(reply.epoch);
    this.#vouchesSeen = reply.vouchesSeen;
    const { digest } = this.#want;
    if (reply.isDisputed && !this.#acceptance.isStrict) this.#deps.events.disputed({ digest, doubted: reply.doubted });
    this.#acceptance.isStrict = reply.isDisputed;
    this.#isVoteWanted = reply.isVoteWanted;
    if (reply.isVoteWanted) this.#deps.askSource();
    this.#acceptance.fromOwner(reply.vouches);
    this.#downloads.told(reply.vouches, reply.doubted);
    this.#downloads.wishes.contested = new Set(reply.contested);
    this.#neighbourhood.name(reply.neighbours);
    if (this.#end !== undefined) return;
    for (const lease of reply.leases) this.#downloads.fetchFromSource(lease);
    this.#downloads.pump();
  }

  /** Another owner, or a dispute: what was said before is said, and heard, again. */
  #enterEpoch(epoch: number): void {
    if (this.#epoch !== 0) this.#vouchesTold = 0;
    else this.#vouchesTold = Math.min(this.#vouches.length, this.#vouchesTold);
    this.#epoch = epoch;
    this.#acceptance.forgetOwner();
  }

  #giveBack(piece: number, reason: ReturnReason): void {
    if (reason === 'refused') this.#isRefused = true;
    this.#returned.push({ piece, reason });
    this.#line.now();
  }

  async #review(): Promise<void> {
    const { clock } = this.#deps;
    while (!this.#over.signal.aborted) {
      await clock.sleep(REVIEW_MS, { signal: this.#over.signal }).catch(() => undefined);
      if (this.#over.signal.aborted) return;
      this.#downloads.review();
      this.#goAlone();
      if (this.#neighbourhood.count === 0) this.#meetProviders();
      if (this.#nowMs() - this.#movedAtMs > SOURCE_AFTER_MS) this.#deps.askSource();
      this.#downloads.pump();
      if (this.#nowMs() - this.#movedAtMs > STUCK_MS && this.#downloads.transfers.leased().length === 0) {
        this.#finish({ error: new CodedError('UNAVAILABLE', `Nobody gives a piece of "${this.#want.digest}"`) });
      }
    }
  }

  /** Without any owner: pieces that no neighbour has, in random order, so that those alone do not all fetch the same. */
  #goAlone(): void {
    const { isSharing, origin, random } = this.#deps;
    if (this.#line.lostForMs() < this.#aloneAfterMs || !isSharing || this.#isRefused) return;
    if (origin.route(this.#want) !== 'yes') return;
    const neighbours = [...this.#neighbourhood.all()];
    const leased = new Set(this.#downloads.transfers.leased().map(({ piece }) => piece));
    const wanted = [...this.#mine.missing()].filter(
      (piece) => !leased.has(piece) && !neighbours.some(({ have }) => have.has(piece)),
    );
    const piece = wanted[Math.floor(random() * wanted.length)];
    if (piece !== undefined && leased.size < LEASES_PER_MEMBER_MAX)
      this.#downloads.fetchFromSource({ piece, endsInMs: ALONE_LEASE_MS, isForVote: false });
  }

  #meetProviders(): void {
    const { providers } = this.#deps;
    providers.lookUp([this.#want.digest]);
    const known = providers.peek(this.#want.digest) ?? [];
    const names = known.slice(0, PROVIDERS_MAX).map(({ name }) => name);
    if (names.length > 0) this.#neighbourhood.name(names);
  }

  #endIfWhole(): void {
    if (!this.#mine.isFull || this.#downloads.isRetracting) return;
    const gap = this.#sink.nextGap(1);
    if (gap === undefined) this.#finish({});
    else this.#mine.remove(Math.floor(gap.start / this.plan.pieceSizeBytes));
  }

  #finish(end: { error?: unknown }): void {
    this.#end ??= end;
    this.#over.abort(new CodedError('CANCELLED', 'Swarm is left'));
  }

  /** From an earlier run, or from another source. */
  #piecesHere(): PieceSet {
    const blob = this.#deps.local.look(this.#want.digest);
    if (blob === undefined || blob.size !== this.#want.size) return new PieceSet(this.plan.count);
    return wholePiecesOf(this.plan, (from) => blob.missing(from));
  }

  #nowMs(): number {
    return this.#deps.clock.monotonicMs();
  }
}
