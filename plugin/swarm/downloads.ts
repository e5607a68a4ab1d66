/** Pieces on their way to this node in one swarm: starting them, taking what comes, keeping what is believed. */
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError, isCode } from '../../core/runtime/errors.ts';
import type { FlightSink, Want } from '../content/blob-source.ts';
import type { PeerRanges } from '../peer/peer.ts';
import type { Acceptance } from './acceptance.ts';
import type { BufferRoom } from './buffer-room.ts';
import type { PieceEnd, SwarmEvents } from './events.ts';
import type { Ledgers } from './ledgers.ts';
import { LinePace } from './line-pace.ts';
import type { Neighbour, Neighbourhood } from './neighbourhood.ts';
import type { ReplyLease, ReturnReason } from './owner-messages.ts';
import type { Picked } from './picker.ts';
import { PieceBuffer, PieceSink } from './piece-buffer.ts';
import { PieceJudge } from './piece-judge.ts';
import type { PieceLedger } from './piece-ledger.ts';
import { type PiecePlan, rangeOf } from './piece-plan.ts';
import type { PieceSet } from './piece-set.ts';
import { Retraction } from './retraction.ts';
import type { Scoreboard } from './scoreboard.ts';
import type { Origin } from './swarm.ts';
import { failureOf, failureOfFault, refutedTransfers, reviewTransfer } from './transfer-review.ts';
import { SOURCE, type Transfer, Transfers } from './transfers.ts';
import type { Vouch } from './vouch-table.ts';
import { Wishes } from './wishes.ts';

/** News of neighbours is gathered for so long before they are asked for more, milliseconds. */
const NEWS_MS = 20;
const OVER = new CodedError('CANCELLED', 'Wait is over');

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
  /** A piece was accepted at somebody's word, and stored. */
  readonly onPiece: (accepted: Vouch) => void;
  /** Something to tell the owner: this node fetched the piece itself, or one that holds the whole sent it. */
  readonly onVouch: (vouch: Vouch) => void;
  /** Bytes came, from wherever, or will. */
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
  readonly transfers = new Transfers();
  readonly pace: LinePace;
  readonly wishes: Wishes;
  readonly #judge: PieceJudge;
  readonly #retraction: Retraction;
  readonly #ends = new Set<Promise<void>>();
  #fromPeers = 0;
  #isPumping = false;
  #isClosed = false;
  bytesFromPeers = 0;
  bytesFromSource = 0;

  constructor(deps: DownloadsDeps) {
    this.#deps = deps;
    this.#ledger = deps.ledgers.of(deps.want.digest);
    this.pace = new LinePace({ downloadsMax: deps.downloadsMax, nowMs: this.#nowMs() });
    this.wishes = new Wishes({ ...deps, ledger: this.#ledger, transfers: this.transfers, pace: this.pace });
    const hasWitnesses = () => [...deps.neighbourhood.all()].some(isWitness);
    this.#judge = new PieceJudge({ ...deps, hasWitnesses, ledger: this.#ledger });
    this.#retraction = new Retraction({ ...deps, ledger: this.#ledger });
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
    while (!this.#isClosed && this.#fromPeers < this.pace.slots(this.transfers.leased().length)) {
      const picked = this.wishes.next();
      if (picked === undefined || !this.#fetchFromPeer(picked)) return;
    }
  }

  /** Fetches a leased piece from the source, or goes on with it for longer; given up when the lease ends long before the piece is whole. */
  fetchFromSource({ piece, endsInMs, isForVote }: ReplyLease): void {
    const { mine, plan, room, acceptance, onReturned } = this.#deps;
    const endsAtMs = this.#nowMs() + endsInMs;
    const running = this.transfers.leaseOf(piece);
    if (running !== undefined) running.endsAtMs = endsAtMs;
    const isOfUse = piece < plan.count && (!mine.has(piece) || acceptance.isStrict || isForVote);
    if (this.#isClosed || running !== undefined || !isOfUse) return;
    if (!room.take(plan.pieceSizeBytes)) {
      onReturned(piece, 'unwanted');
      return;
    }
    this.#start({ piece, from: SOURCE, depth: 1, endsAtMs, isForVote }, (transfer, signal) =>
      this.#readFromSource(transfer, signal),
    );
  }

  /** Gives up what is silent or far too slow when someone else has it. */
  review(): void {
    const { scoreboard, neighbourhood, want, events, random } = this.#deps;
    const nowMs = this.#nowMs();
    const transfers = this.transfers.all();
    const running = transfers.filter(({ buffer }) => !buffer.isFull).length;
    const view = { nowMs, scoreboard, pieceMs: this.pace.pieceMs, running, neighbours: [...neighbourhood.all()] };
    for (const transfer of transfers) {
      // One that was given up may take a while to end.
      if (transfer.abort.signal.aborted) continue;
      const fault = reviewTransfer(transfer, view);
      if (fault === 'late') transfer.abort.abort(OVER);
      if (fault === undefined || fault === 'late') continue;
      const failure = failureOfFault(fault, transfer.depth);
      const err = new CodedError('UNAVAILABLE', `Peer is ${fault}`);
      scoreboard.failed(transfer.from, failure, { nowMs, random });
      this.wishes.notKept(transfer.from);
      events.peerFailed({ peer: transfer.from, digest: want.digest, failure, err });
      transfer.abort.abort(err);
    }
  }

  /** What the owner vouches for, and whom it doubts: pieces here that it refutes are missing again. */
  told(vouches: readonly Vouch[], doubted: readonly string[]): void {
    this.#retraction.heard(vouches, doubted).then(
      () => this.#deps.onChange(),
      (error) => this.#deps.onBroken(error),
    );
    this.#leaveSuspects();
  }

  /** A holder says what it has of some pieces: where this node fetched something else, nothing of that one is kept. */
  holderSaid(name: string, vouches: readonly Vouch[]): void {
    const contradicted = vouches.filter((vouch) => vouch.witness === name && this.#ledger.contradicts(name, vouch));
    if (contradicted.length === 0) return;
    for (const vouch of contradicted) this.#deps.onVouch(vouch);
    this.told([], [name]);
  }

  /** Pieces are about to be missing again. */
  get isRetracting(): boolean {
    return this.#retraction.isRunning;
  }

  /** Ends everything; resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { abort } of this.transfers.all()) abort.abort(new CodedError('CANCELLED', 'Swarm is left'));
    await Promise.allSettled(this.#ends);
  }

  #leaveSuspects(): void {
    const isSuspect = (name: string) => this.#ledger.isSuspect(name);
    const { proof, useless } = refutedTransfers(this.transfers.all(), isSuspect);
    for (const { abort } of useless) abort.abort(OVER);
    for (const { buffer } of proof) buffer.disown();
  }

  async #readFromSource(transfer: Transfer, signal: AbortSignal): Promise<void> {
    const { want, origin, events, self, ledgers, onReturned } = this.#deps;
    const { piece, buffer } = transfer;
    const sink = new PieceSink(want, buffer, (bytes) => {
      transfer.movedAtMs = this.#nowMs();
      if (buffer.filled === bytes) this.#deps.onChange();
      this.bytesFromSource += bytes;
      this.#deps.onBytes();
    });
    try {
      await origin.fetch(want, sink, { signal });
      if (!buffer.isFull) throw new CodedError('UNAVAILABLE', 'Source ended before the piece was whole');
    } catch (err) {
      if (signal.aborted) return events.pieceEnded('source', 'lost');
      const reason = isCode(err, 'NOT_FOUND', 'UNAUTHENTICATED', 'PERMISSION_DENIED') ? 'refused' : 'later';
      events.leaseReturned({ digest: want.digest, piece, reason, err });
      onReturned(piece, reason);
      return;
    }
    const sha256 = buffer.sha256();
    for (const liar of this.#ledger.fetched(piece, sha256)) ledgers.ban(liar, want.digest);
    await this.#retraction.fetched(piece, sha256);
    events.pieceEnded('source', await this.#keep(transfer, sha256, self));
  }

  #fetchFromPeer({ piece, peer, depth }: Picked): boolean {
    const neighbour = this.#deps.neighbourhood.get(peer);
    if (neighbour === undefined || !this.#deps.room.take(this.#deps.plan.pieceSizeBytes)) return false;
    const { scoreboard } = this.#deps;
    this.#fromPeers += 1;
    neighbour.running += 1;
    scoreboard.began();
    this.#start(
      { piece, from: peer, depth: depth + 1, endsAtMs: Number.POSITIVE_INFINITY, isForVote: false },
      async (transfer, signal) => {
        let isReading = true;
        const onRead = () => {
          if (!isReading) return;
          isReading = false;
          this.#fromPeers -= 1;
          neighbour.running -= 1;
          scoreboard.ended();
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
    const { ranges, want, events } = this.#deps;
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
    this.#measure(from, { bytes: buffer.bytes.length, tookMs });
    const sha256 = buffer.sha256();
    if (sha256 !== said) {
      this.#deps.ledgers.ban(from, want.digest);
      return events.pieceEnded('peer', 'rejected');
    }
    onRead();
    this.pump();
    const judged = await this.#judge.judge(
      { piece: transfer.piece, from, isWitness: isWitness(neighbour), sha256 },
      signal,
    );
    if (judged.end === 'rejected') this.wishes.notKept(from);
    events.pieceEnded('peer', judged.end ?? (await this.#keep(transfer, sha256, judged.witness)));
  }

  /** Short pieces, the last one of a blob, tell how long a request takes, and nothing of rates. */
  #measure(peer: string, { bytes, tookMs }: { bytes: number; tookMs: number }): void {
    const { plan, scoreboard } = this.#deps;
    if (bytes < plan.pieceSizeBytes) scoreboard.answered(peer);
    else {
      this.pace.pieceTook(tookMs);
      scoreboard.brought(peer, bytes, tookMs);
    }
  }

  /** Stores a believed piece; `witness` answers for it. */
  async #keep(transfer: Transfer, sha256: string, witness: string): Promise<PieceEnd> {
    const { mine, sink, onPiece, onVouch, onBroken } = this.#deps;
    const { piece, from, buffer } = transfer;
    const vouch = () => from === SOURCE && onVouch({ piece, sha256, witness });
    if (this.#isClosed || mine.has(piece)) {
      vouch();
      return 'spare';
    }
    this.#ledger.accepted(piece, { sender: from, sha256, witness, isAccountable: from === witness });
    buffer.accept(sha256);
    try {
      await sink.write(buffer.range.start, buffer.bytes);
    } catch (error) {
      onBroken(error);
      return 'lost';
    }
    mine.add(piece);
    // Not before it is here: the owner would hear of a lease that has ended, and of nobody that has the piece.
    vouch();
    for (const other of this.transfers.of(piece)) {
      if (other !== transfer && !other.isForVote) other.abort.abort(OVER);
    }
    onPiece({ piece, sha256, witness });
    return 'taken';
  }

  #moved(transfer: Transfer, bytes: number): void {
    const { acceptance, onVouchWanted } = this.#deps;
    const wasNew = transfer.buffer.filled === bytes;
    transfer.movedAtMs = this.#nowMs();
    this.pace.movedAtMs = transfer.movedAtMs;
    this.bytesFromPeers += bytes;
    this.#deps.onBytes();
    if (wasNew) this.#deps.onChange();
    const isNearlyThere = transfer.buffer.filled * 4 > transfer.buffer.bytes.length * 3;
    if (isNearlyThere && acceptance.vouch(transfer.piece) === undefined) onVouchWanted();
  }

  #peerFailed(neighbour: Neighbour, { from, piece, depth }: Transfer, err: unknown): void {
    const { scoreboard, random, events, want } = this.#deps;
    const failure = failureOf(err, depth);
    if (failure === 'busy' && this.pace.busy(this.#nowMs())) this.#deps.onBytes();
    scoreboard.failed(from, failure, { nowMs: this.#nowMs(), random });
    if (failure === 'missing') {
      neighbour.have.remove(piece);
      neighbour.arriving = new Map([...neighbour.arriving].filter(([other]) => other !== piece));
    }
    events.peerFailed({ peer: from, digest: want.digest, failure, err });
  }

  #start(
    what: Pick<Transfer, 'piece' | 'from' | 'depth' | 'endsAtMs' | 'isForVote'>,
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
    this.transfers.add(transfer);
    const end = run(transfer, transfer.abort.signal)
      .catch((error) => this.#deps.onBroken(error))
      .finally(() => {
        room.give(plan.pieceSizeBytes);
        transfer.buffer.drop();
        this.transfers.remove(transfer);
        this.#ends.delete(end);
        this.#deps.onChange();
        this.pump();
      });
    this.#ends.add(end);
  }

  #nowMs(): number {
    return this.#deps.clock.monotonicMs();
  }
}

/** What it sends was not passed on to it by a member. */
function isWitness({ isProven, isWriting }: Neighbour): boolean {
  return isProven || isWriting;
}
