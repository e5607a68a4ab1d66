/**
 * Pieces on their way to this node in one swarm: which are asked of whom, and what comes. Longer than most files: starting,
 * reviewing and ending a transfer all turn on the one map of what runs.
 */
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError, isCode } from '../../core/runtime/errors.ts';
import type { FlightSink, Want } from '../content/blob-source.ts';
import type { PeerRanges } from '../peer/peer.ts';
import type { Acceptance } from './acceptance.ts';
import type { BufferRoom } from './buffer-room.ts';
import type { PieceEnd, SwarmEvents } from './events.ts';
import type { Ledgers } from './ledgers.ts';
import type { Neighbour, Neighbourhood } from './neighbourhood.ts';
import { type ReturnReason, STUCK_MAX } from './owner-messages.ts';
import { type Picked, pickPiece, pickSender } from './picker.ts';
import { PieceBuffer, PieceSink } from './piece-buffer.ts';
import { PieceJudge } from './piece-judge.ts';
import type { PieceLedger } from './piece-ledger.ts';
import { type PiecePlan, rangeOf } from './piece-plan.ts';
import type { PieceSet } from './piece-set.ts';
import type { PeerFailure, Scoreboard } from './scoreboard.ts';
import type { Origin } from './swarm.ts';
import type { Vouch } from './vouch-table.ts';

/** A transfer is looked at after so long, and given up when nothing came for so long, milliseconds. */
const SLOW_AFTER_MS = 2_000;
const SILENT_MS = 5_000;
/** Where a piece takes longer than this the line is slow: fewer at once, so that each can be passed on sooner, milliseconds. */
const SLOW_PIECE_MS = 4_000;
const SLOW_LINE_DOWNLOADS = 3;
/** Weight of the newest piece in what a piece takes. */
const NEWEST = 0.3;
/** News of neighbours is gathered for so long before they are asked for more, milliseconds. */
const NEWS_MS = 20;
/** A node that got bytes from peers within this needs no lease while they have all that it misses, milliseconds. */
const FED_MS = 2_000;
/** Without a byte for so long, pieces are asked for that nobody vouches for, milliseconds. */
const STARVED_MS = 8_000;
/** A leased piece of which less than this came in time is left to whoever has the lease now. */
const LATE_SHARE = 0.5;
/** Senders of one piece at once, when it is all that is left. */
const SENDERS_MAX = 2;
/** Pieces from where a reader waits that go before all others. */
const WINDOW_PIECES = 2;
export const SOURCE = 'source';
const OVER = new CodedError('CANCELLED', 'Wait is over');

export interface Transfer {
  readonly piece: number;
  /** A member's name, or `SOURCE`. */
  readonly from: string;
  readonly depth: number;
  readonly buffer: PieceBuffer;
  readonly startedAtMs: number;
  movedAtMs: number;
  /** Of a lease. */
  readonly endsAtMs: number;
  readonly abort: AbortController;
}

export interface DownloadsDeps {
  readonly self: string;
  readonly zone: string;
  readonly want: Want;
  readonly sink: FlightSink;
  readonly plan: PiecePlan;
  readonly mine: PieceSet;
  readonly ranges: PeerRanges;
  readonly origin: Origin;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: SwarmEvents;
  readonly scoreboard: Scoreboard;
  readonly ledgers: Ledgers;
  readonly room: BufferRoom;
  readonly acceptance: Acceptance;
  readonly neighbourhood: Neighbourhood;
  readonly downloadsMax: number;
  /** A piece was accepted and stored. */
  readonly onPiece: (piece: number, sha256: string) => void;
  /** Something to tell the owner: this node fetched the piece itself, or one that holds the whole sent it. */
  readonly onVouch: (vouch: Vouch) => void;
  /** Bytes came, from wherever. */
  readonly onBytes: () => void;
  /** What is on its way changed. */
  readonly onChange: () => void;
  /** A vouch is needed from the owner. */
  readonly onVouchWanted: () => void;
  /** A leased piece did not come. */
  readonly onReturned: (piece: number, reason: ReturnReason) => void;
  /** This disk takes no bytes, or the like: the swarm has to end. */
  readonly onBroken: (error: unknown) => void;
}

export class Downloads {
  readonly #deps: DownloadsDeps;
  readonly #ledger: PieceLedger;
  readonly #running = new Map<number, Transfer[]>();
  readonly #ends = new Set<Promise<void>>();
  readonly #judge: PieceJudge;
  #fromPeers = 0;
  #isPumping = false;
  #pieceMs = 0;
  #movedAtMs = 0;
  #isClosed = false;
  bytesFromPeers = 0;
  bytesFromSource = 0;

  constructor(deps: DownloadsDeps) {
    this.#deps = deps;
    this.#ledger = deps.ledgers.of(deps.want.digest);
    this.#judge = new PieceJudge({ ...deps, ledger: this.#ledger });
    this.#movedAtMs = this.#nowMs();
  }

  /** Pieces whose bytes others may read along. */
  *arriving(): Iterable<{ piece: number; depth: number }> {
    for (const [piece, [first]] of this.#running) {
      if (first?.buffer.hasRoom && first.buffer.filled > 0) yield { piece, depth: first.depth };
    }
  }

  /** The buffer of a piece on its way. */
  buffer(piece: number): PieceBuffer | undefined {
    return this.#running.get(piece)?.[0]?.buffer;
  }

  leased(): number[] {
    return [...this.#running].flatMap(([piece, all]) => (all.some(({ from }) => from === SOURCE) ? [piece] : []));
  }

  /** Like `pump`, for news that come often. */
  pumpSoon(): void {
    if (this.#isPumping || this.#isClosed || this.#fromPeers >= this.#deps.downloadsMax) return;
    this.#isPumping = true;
    this.#deps.clock.sleep(NEWS_MS).then(
      () => {
        this.#isPumping = false;
        this.pump();
      },
      () => undefined,
    );
  }

  /** Asks peers for as many pieces as there is room for. */
  pump(): void {
    const { neighbourhood, scoreboard, clock, ledgers } = this.#deps;
    while (!this.#isClosed && this.#fromPeers < this.#slots()) {
      const nowMs = clock.monotonicMs();
      const isFree = (one: Neighbour) =>
        !ledgers.isBanned(one.member.name) &&
        !scoreboard.isPaused(one.member.name, nowMs) &&
        one.running < scoreboard.parallel(one.member.name, this.#deps.plan.pieceSizeBytes);
      const peers = [...neighbourhood.all()].map((one) => ({
        name: one.member.name,
        have: one.have,
        arriving: one.arriving,
        isFree: isFree(one),
        isNear: one.member.zone === this.#deps.zone,
        rate: scoreboard.rate(one.member.name),
        running: one.running,
      }));
      if (!peers.some((peer) => peer.isFree)) return;
      const view = {
        count: this.#deps.plan.count,
        isWanted: (piece: number) => this.#isWanted(piece),
        window: this.#window(),
        peers,
        random: this.#deps.random,
      };
      const picked = pickPiece(view) ?? this.#pickAgain(view);
      if (picked === undefined || !this.#fetchFromPeer(picked)) return;
    }
  }

  /** Fetches a leased piece from the source; given up when the lease ends long before the piece is whole. */
  fetchFromSource(piece: number, endsInMs: number): void {
    const { mine, plan, room, events } = this.#deps;
    const isRunning = this.#running.get(piece)?.some(({ from }) => from === SOURCE) ?? false;
    if (this.#isClosed || isRunning || piece >= plan.count || (mine.has(piece) && !this.#deps.acceptance.isStrict))
      return;
    if (!room.take(plan.pieceSizeBytes)) {
      this.#deps.onReturned(piece, 'unwanted');
      return;
    }
    const endsAtMs = this.#nowMs() + endsInMs;
    this.#start({ piece, from: SOURCE, depth: 1, endsAtMs }, async (transfer, signal) => {
      const { want, origin } = this.#deps;
      const sink = new PieceSink(want, transfer.buffer, (bytes) => {
        transfer.movedAtMs = this.#nowMs();
        if (transfer.buffer.filled === bytes) this.#deps.onChange();
        this.bytesFromSource += bytes;
        this.#deps.onBytes();
      });
      try {
        await origin.fetch(want, sink, { signal });
        if (!transfer.buffer.isFull) throw new CodedError('UNAVAILABLE', 'Source ended before the piece was whole');
      } catch (err) {
        if (signal.aborted) return events.pieceEnded('source', 'lost');
        const reason = isCode(err, 'NOT_FOUND', 'UNAUTHENTICATED', 'PERMISSION_DENIED') ? 'refused' : 'later';
        events.leaseReturned({ digest: want.digest, piece, reason, err });
        this.#deps.onReturned(piece, reason);
        return;
      }
      events.pieceEnded('source', await this.#keep(transfer, transfer.buffer.sha256(), this.#deps.self));
    });
  }

  /** Gives up what is silent or far too slow when someone else has it. */
  review(): void {
    const { scoreboard, neighbourhood, want, events, clock, random } = this.#deps;
    const nowMs = clock.monotonicMs();
    for (const transfer of [...this.#running.values()].flat()) {
      if (transfer.from === SOURCE) {
        const isLate = nowMs > transfer.endsAtMs && transfer.buffer.filled < transfer.buffer.bytes.length * LATE_SHARE;
        if (isLate) transfer.abort.abort(OVER);
        continue;
      }
      const ageMs = nowMs - transfer.startedAtMs;
      const isSilent = nowMs - transfer.movedAtMs > SILENT_MS && !transfer.buffer.isFull;
      const isSlow =
        ageMs > SLOW_AFTER_MS &&
        !transfer.buffer.isFull &&
        scoreboard.isSlow(transfer.buffer.filled / ageMs, neighbourhood.names()) &&
        [...neighbourhood.all()].some(({ member, have }) => member.name !== transfer.from && have.has(transfer.piece));
      if (!isSilent && !isSlow) continue;
      const failure: PeerFailure = isSilent ? 'broken' : 'slow';
      const err = new CodedError('UNAVAILABLE', `Peer is ${isSilent ? 'silent' : 'slow'}`);
      scoreboard.failed(transfer.from, failure, { nowMs, random });
      events.peerFailed({ peer: transfer.from, digest: want.digest, failure, err });
      transfer.abort.abort(err);
    }
  }

  /** Ends everything; resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { abort } of [...this.#running.values()].flat())
      abort.abort(new CodedError('CANCELLED', 'Swarm is left'));
    await Promise.allSettled(this.#ends);
  }

  /** After a wrong whole, only what two witnesses agree on; anything rather than nothing after a while. */
  #isWanted(piece: number): boolean {
    if (this.#deps.mine.has(piece) || this.#running.has(piece)) return false;
    const { acceptance } = this.#deps;
    return (
      !acceptance.isStrict || acceptance.vouch(piece) !== undefined || this.#nowMs() - this.#movedAtMs > STARVED_MS
    );
  }

  /** A piece from the source has its share of the line. */
  #slots(): number {
    const slots = this.isSlowLine ? SLOW_LINE_DOWNLOADS : this.#deps.downloadsMax;
    return Math.max(1, slots - this.leased().length);
  }

  get isSlowLine(): boolean {
    return this.#pieceMs > SLOW_PIECE_MS;
  }

  /** All that is missing can be had from neighbours, and is coming. */
  isFed(): boolean {
    const neighbours = [...this.#deps.neighbourhood.all()];
    if (this.#nowMs() - this.#movedAtMs > FED_MS) return false;
    for (const piece of this.#deps.mine.missing()) {
      if (!this.#running.has(piece) && !neighbours.some(({ have }) => have.has(piece))) return false;
    }
    return true;
  }

  /** Pieces that nobody gives, though nothing else is left to ask for. */
  stuck(): number[] {
    if (this.#nowMs() - this.#movedAtMs < FED_MS) return [];
    const stuck: number[] = [];
    for (const piece of this.#deps.mine.missing()) {
      if (stuck.length >= STUCK_MAX) break;
      if (!this.#running.has(piece)) stuck.push(piece);
    }
    return stuck;
  }

  /** The last pieces: one more sender for what comes slowly. */
  #pickAgain(view: Parameters<typeof pickPiece>[0]): Picked | undefined {
    const { mine, plan } = this.#deps;
    const nowMs = this.#nowMs();
    if (this.#running.size < plan.count - mine.size) return undefined;
    for (const [piece, transfers] of this.#running) {
      const [first] = transfers;
      if (first === undefined || transfers.length >= SENDERS_MAX || first.buffer.isFull) continue;
      if (nowMs - first.startedAtMs < SLOW_AFTER_MS) continue;
      const peer = pickSender(view, piece, [first.from]);
      if (peer !== undefined) return { piece, peer, depth: 0 };
    }
    return undefined;
  }

  #fetchFromPeer({ piece, peer, depth }: Picked): boolean {
    const neighbour = this.#deps.neighbourhood.get(peer);
    if (neighbour === undefined || !this.#deps.room.take(this.#deps.plan.pieceSizeBytes)) return false;
    this.#fromPeers += 1;
    neighbour.running += 1;
    this.#start(
      { piece, from: peer, depth: depth + 1, endsAtMs: Number.POSITIVE_INFINITY },
      async (transfer, signal) => {
        let isReading = true;
        const onRead = () => {
          if (!isReading) return;
          isReading = false;
          this.#fromPeers -= 1;
          neighbour.running -= 1;
        };
        try {
          await this.#readFromPeer(neighbour, { transfer, onRead }, signal);
        } finally {
          onRead();
        }
      },
    );
    return true;
  }

  /** `onRead` is called when all its bytes are here, before it is judged: others may have to vouch for it, and the line is free. */
  async #readFromPeer(
    neighbour: Neighbour,
    { transfer, onRead }: { transfer: Transfer; onRead: () => void },
    signal: AbortSignal,
  ): Promise<void> {
    const { ranges, want, events, scoreboard } = this.#deps;
    const { buffer, from } = transfer;
    let said: string;
    try {
      const request = { digest: want.digest, range: buffer.range };
      const take = async (bytes: Uint8Array) => {
        buffer.append(bytes);
        this.#moved(transfer, bytes.length);
      };
      said = await ranges.readRange(neighbour.member, request, take, { signal });
      if (!buffer.isFull) throw new CodedError('UNAVAILABLE', 'Peer ended before the piece was whole');
    } catch (err) {
      if (!signal.aborted) this.#peerFailed(neighbour, transfer, err);
      return events.pieceEnded('peer', 'lost');
    }
    const tookMs = this.#nowMs() - transfer.startedAtMs;
    this.#pieceMs = this.#pieceMs * (1 - NEWEST) + tookMs * NEWEST;
    scoreboard.brought(from, buffer.bytes.length, tookMs);
    const sha256 = buffer.sha256();
    if (sha256 !== said) {
      this.#deps.ledgers.ban(from, want.digest);
      return events.pieceEnded('peer', 'rejected');
    }
    onRead();
    this.pump();
    const judged = await this.#judge.judge(
      { piece: transfer.piece, from, isProven: neighbour.isProven, sha256 },
      signal,
    );
    events.pieceEnded('peer', judged.end ?? (await this.#keep(transfer, sha256, judged.witness)));
  }

  /** Stores a believed piece; `witness` answers for it. */
  async #keep(transfer: Transfer, sha256: string, witness: string): Promise<PieceEnd> {
    const { mine, sink, onPiece, onVouch, onBroken } = this.#deps;
    const { piece, from, buffer } = transfer;
    if (from === SOURCE) onVouch({ piece, sha256, witness });
    if (this.#isClosed || mine.has(piece)) return 'spare';
    this.#ledger.accepted(piece, { sender: from, sha256, isAccountable: from === witness });
    buffer.accept(sha256);
    try {
      await sink.write(buffer.range.start, buffer.bytes);
    } catch (error) {
      onBroken(error);
      return 'lost';
    }
    mine.add(piece);
    for (const other of this.#running.get(piece) ?? []) if (other !== transfer) other.abort.abort(OVER);
    onPiece(piece, sha256);
    return 'taken';
  }

  #moved(transfer: Transfer, bytes: number): void {
    const { acceptance, onVouchWanted } = this.#deps;
    const wasNew = transfer.buffer.filled === bytes;
    transfer.movedAtMs = this.#nowMs();
    this.#movedAtMs = transfer.movedAtMs;
    this.bytesFromPeers += bytes;
    this.#deps.onBytes();
    if (wasNew) this.#deps.onChange();
    const isNearlyThere = transfer.buffer.filled * 4 > transfer.buffer.bytes.length * 3;
    if (isNearlyThere && acceptance.vouch(transfer.piece) === undefined) onVouchWanted();
  }

  #peerFailed(neighbour: Neighbour, { from, piece }: Transfer, err: unknown): void {
    const { scoreboard, random, events, want } = this.#deps;
    const failure = failureOf(err);
    scoreboard.failed(from, failure, { nowMs: this.#nowMs(), random });
    if (failure === 'missing') {
      neighbour.have.remove(piece);
      neighbour.arriving = new Map([...neighbour.arriving].filter(([other]) => other !== piece));
    }
    events.peerFailed({ peer: from, digest: want.digest, failure, err });
  }

  #start(
    what: { piece: number; from: string; depth: number; endsAtMs: number },
    run: (transfer: Transfer, signal: AbortSignal) => Promise<void>,
  ): void {
    const { plan, room } = this.#deps;
    const nowMs = this.#nowMs();
    const transfer: Transfer = {
      ...what,
      buffer: new PieceBuffer(rangeOf(plan, what.piece)),
      startedAtMs: nowMs,
      movedAtMs: nowMs,
      abort: new AbortController(),
    };
    this.#running.set(what.piece, [...(this.#running.get(what.piece) ?? []), transfer]);
    const end = run(transfer, transfer.abort.signal)
      .catch((error) => this.#deps.onBroken(error))
      .finally(() => {
        room.give(plan.pieceSizeBytes);
        this.#remove(transfer);
        this.#ends.delete(end);
        this.#deps.onChange();
        this.pump();
      });
    this.#ends.add(end);
  }

  #remove(transfer: Transfer): void {
    transfer.buffer.drop();
    const others = (this.#running.get(transfer.piece) ?? []).filter((one) => one !== transfer);
    if (others.length > 0) this.#running.set(transfer.piece, others);
    else this.#running.delete(transfer.piece);
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

function failureOf(error: unknown): PeerFailure {
  if (isCode(error, 'RESOURCE_EXHAUSTED')) return 'busy';
  return isCode(error, 'NOT_FOUND') ? 'missing' : 'broken';
}
