/** Swarms, put together: the blobs that this node fetches with others, those that it looks after as an owner, and uploads. */
import type { Digest } from '../../core/oci/digest.ts';
import { CodedError, isCode } from '../../core/runtime/errors.ts';
import type { FlightSink, Route, Want } from '../content/blob-source.ts';
import type { OpenRange, PeerHandler, RangeRequest } from '../peer/peer.ts';
import { callerMember } from '../providers/caller-name.ts';
import { memberNamed } from '../providers/member-named.ts';
import type { MemberMode, PeerService, SwarmMember } from '../providers/providers.ts';
import { pieceSizeFor as storePieceSizeFor } from '../store/piece-bitmap.ts';
import { BufferRoom } from './buffer-room.ts';
import { Crowd } from './crowd.ts';
import { createSwarmEvents, type SwarmEvents } from './events.ts';
import { Ledgers } from './ledgers.ts';
import { type ExchangeMessage, readExchange, writeNews } from './neighbour-messages.ts';
import { OwnerDesk } from './owner-desk.ts';
import { type PiecePlan, pieceOf, planPieces, rangeOf, wholePiecesOf } from './piece-plan.ts';
import { Routes } from './routes.ts';
import { Scoreboard } from './scoreboard.ts';
import { Session } from './session.ts';
import type { Swarm, SwarmDeps, SwarmOptions, SwarmStatus } from './swarm.ts';
import { swarmMethods } from './swarm-methods.ts';
import { UploadDesk } from './upload-desk.ts';
import type { Vouch } from './vouch-table.ts';

/** `uploadsMax`'s default: more would make each too slow to be of use to others. */
const UPLOADS_MAX = 5;
/** `downloadsMax`'s default: one more than that, because a member is refused now and then. */
const DOWNLOADS_MAX = 6;
/** `bufferBytesMax`'s default: 24 pieces of 4 MiB. */
const BUFFER_BYTES_MAX = 96 * 1024 * 1024;

/**
 * Wrong wholes after which the heart asks the swarm no more: after the first, one that lied was looked for, after the second,
 * all were compared, after the third, every piece was fetched by two. Whoever can still make it wrong then is most of those
 * that read the source.
 */
const STRIKES_MAX = 4;

export function createSwarm(deps: SwarmDeps, options: SwarmOptions = {}): Swarm {
  return new PieceSwarm(deps, options);
}

class PieceSwarm implements Swarm {
  readonly name = 'swarm';
  readonly strikesMax = STRIKES_MAX;
  readonly handlers: PeerService['handlers'];
  readonly #deps: SwarmDeps;
  readonly #options: SwarmOptions;
  readonly #mode: MemberMode;
  readonly #pieceSizeFor: (sizeBytes: number) => number;
  readonly #events: SwarmEvents;
  readonly #desk: OwnerDesk;
  readonly #uploads: UploadDesk;
  readonly #crowd: Crowd;
  readonly #routes: Routes;
  readonly #ledgers: Ledgers;
  readonly #scoreboard = new Scoreboard();
  readonly #room: BufferRoom;
  readonly #sessions = new Map<Digest, Session>();
  readonly #stop = new AbortController();

  constructor(deps: SwarmDeps, options: SwarmOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#mode = options.mode ?? 'full';
    this.#pieceSizeFor = options.pieceSizeFor ?? storePieceSizeFor;
    const counts = { swarms: () => this.#sessions.size, owned: () => this.#desk.swarmCount };
    this.#events = createSwarmEvents(deps, counts);
    this.#ledgers = new Ledgers({ self: deps.self, clock: deps.clock, events: this.#events });
    this.#room = new BufferRoom(options.bufferBytesMax ?? BUFFER_BYTES_MAX);
    this.#desk = new OwnerDesk({ ...deps, pieceSizeFor: this.#pieceSizeFor });
    this.#crowd = new Crowd({ ...deps, events: this.#events, desk: this.#desk });
    this.#routes = new Routes({
      ...deps,
      crowd: this.#crowd,
      isUsable: (name) => name !== deps.self && !this.#ledgers.isBanned(name),
      isSharing: this.#mode === 'full',
    });
    this.#uploads = new UploadDesk({
      local: deps.local,
      arriving: (request) => this.#arriving(request),
      events: this.#events,
      pieceSizeFor: this.#pieceSizeFor,
      uploadsMax: options.uploadsMax ?? UPLOADS_MAX,
      mayUpload: this.#mode === 'full',
    });
    const { coordinate, exchange, nameWriter } = swarmMethods();
    this.handlers = [
      { method: coordinate, handler: this.#desk.onCoordinate },
      { method: exchange, handler: this.#onExchange },
      { method: nameWriter, handler: this.#desk.onNameWriter },
    ];
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    this.#stop.abort(new CodedError('CANCELLED', 'Node is stopping'));
    this.#crowd.stop();
  }

  prepare(want: Want): void {
    if (this.#hasOthers()) this.#routes.prepare(want);
  }

  gather(wants: readonly Want[]): void {
    if (this.#hasOthers()) for (const want of wants) this.#routes.gather(want);
  }

  route(want: Want): Route {
    return this.#hasOthers() ? this.#routes.route(want) : 'no';
  }

  async settled(want: Want, call: { signal: AbortSignal }): Promise<void> {
    if (this.#hasOthers()) await this.#routes.settled(want, call);
  }

  async fetch(want: Want, sink: FlightSink, { signal }: { signal: AbortSignal }): Promise<void> {
    if (this.#sessions.has(want.digest)) throw new CodedError('UNAVAILABLE', `Swarm of "${want.digest}" runs already`);
    const session = new Session(this.#sessionDeps(want), want, sink);
    this.#sessions.set(want.digest, session);
    this.#tell(want.digest, 'fetching');
    try {
      await session.run(AbortSignal.any([signal, this.#stop.signal]));
    } finally {
      this.#sessions.delete(want.digest);
    }
  }

  sentWrongBytes({ digest }: Want): void {
    this.#ledgers.wholeWasWrong(digest);
    this.#events.wholeWasWrong({ digest });
  }

  arrived(digest: Digest): void {
    this.#ledgers.proven(digest);
    this.#crowd.forget(digest);
    this.#tell(digest, 'whole');
  }

  arriving(digest: Digest, state: 'fetching' | 'writing'): void {
    this.#tell(digest, state);
  }

  gone(digest: Digest): void {
    this.#deps.providers.gone(digest);
  }

  openRange(peer: string, request: RangeRequest, call: { signal: AbortSignal }): Promise<OpenRange> {
    return this.#uploads.openRange(peer, request, call);
  }

  membersChanged(): void {
    this.#desk.membersChanged();
  }

  *swarms(): Iterable<SwarmStatus> {
    for (const session of this.#sessions.values()) yield session.status();
  }

  banned(): readonly string[] {
    return this.#ledgers.banned();
  }

  readonly #onExchange: PeerHandler = async (request, { peer }) => {
    const { from, exchange } = readExchange(request);
    const member = callerMember(peer, from, this.#deps.members());
    const session = this.#sessions.get(exchange.digest);
    if (session !== undefined) return writeNews(session.heard(member.name, exchange));
    const blob = this.#deps.local.look(exchange.digest);
    if (blob === undefined || blob.size !== exchange.size || this.#mode !== 'full') {
      throw new CodedError('NOT_FOUND', `Nothing of "${exchange.digest}" is here`);
    }
    const plan = planPieces(blob.size, this.#pieceSizeFor);
    const have = wholePiecesOf(plan, (at) => blob.missing(at)).bytes();
    const isProven = blob.state === 'whole';
    const vouches = isProven && this.#mode === 'full' ? await this.#ownWord(plan, member.name, exchange) : [];
    return writeNews({ have, arriving: [], vouches, isProven, isWriting: blob.state === 'writing' });
  };

  /** What this node has of a piece that the caller fetched from the source: one that is wrong is found so, at no fetch more. */
  async #ownWord(plan: PiecePlan, caller: string, { digest, vouches }: ExchangeMessage): Promise<Vouch[]> {
    const fetched = vouches.find(({ piece, witness }) => witness === caller && piece < plan.count);
    if (fetched === undefined) return [];
    const { piece } = fetched;
    try {
      const sha256 = await this.#uploads.digestOf({ digest, range: rangeOf(plan, piece) });
      return [{ piece, sha256, witness: this.#deps.self }];
    } catch (error) {
      // It went, or too many ask: the caller asks again with the next piece that it fetches.
      if (isCode(error, 'NOT_FOUND', 'UNAVAILABLE', 'RESOURCE_EXHAUSTED')) return [];
      throw error;
    }
  }

  #sessionDeps(want: Want) {
    return {
      ...this.#deps,
      zone: this.#self()?.zone ?? '',
      plan: planPieces(want.size, this.#pieceSizeFor),
      events: this.#events,
      scoreboard: this.#scoreboard,
      ledgers: this.#ledgers,
      room: this.#room,
      desk: this.#desk,
      askSource: () => this.#routes.askSource(want),
      downloadsMax: this.#options.downloadsMax ?? DOWNLOADS_MAX,
      isSharing: this.#mode === 'full',
    };
  }

  #arriving({ digest, range }: RangeRequest) {
    const session = this.#sessions.get(digest);
    const piece = session && pieceOf(session.plan, range);
    const buffer = piece === undefined ? undefined : session?.buffer(piece);
    return buffer?.hasRoom ? buffer : undefined;
  }

  #tell(digest: Digest, state: 'whole' | 'fetching' | 'writing'): void {
    if (this.#mode === 'full') this.#deps.providers.holds(digest, state);
  }

  #hasOthers(): boolean {
    return this.#mode !== 'observer' && this.#deps.members().some(({ name }) => name !== this.#deps.self);
  }

  #self(): SwarmMember | undefined {
    return memberNamed(this.#deps.members(), this.#deps.self);
  }
}
