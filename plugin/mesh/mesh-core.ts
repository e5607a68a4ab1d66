/**
 * The mesh without sockets: packets and streams come in, packets and streams go out, and time and chance are given. What runs
 * in production and in simulations is this.
 */
import type { MeshEvents } from './events.ts';
import { Gossiper } from './gossip/gossiper.ts';
import { PacketSender } from './gossip/packet-sender.ts';
import { Rumours } from './gossip/rumours.ts';
import { StateExchange } from './gossip/state-exchange.ts';
import { Awareness } from './members/awareness.ts';
import { LostMembers } from './members/lost-members.ts';
import { MemberKeeper } from './members/member-keeper.ts';
import { type MemberRecord, isGone } from './members/member-record.ts';
import { MemberTable } from './members/member-table.ts';
import { OUR_VERSIONS } from './members/protocol-versions.ts';
import { Rounds } from './members/rounds.ts';
import { MessageRouter } from './message-router.ts';
import type { Endpoint, Transport } from './net/transport.ts';
import type { Timings } from './presets.ts';
import { type Pinged, Pings } from './probing/pings.ts';
import { ProbeAnswers } from './probing/probe-answers.ts';
import { Prober } from './probing/prober.ts';
import { SequenceNumbers } from './probing/sequence-numbers.ts';
import { Ticker } from './probing/ticker.ts';
import type { Scheduler } from './scheduler.ts';
import { SerfDelegate } from './serf/serf-delegate.ts';
import { type Tags, encodeTags } from './serf/tags.ts';
import type { PacketCodec } from './wire/packet-codec.ts';

/** How often a lost member may be tried again. serf: `ReconnectInterval`. */
const RETRY_LOST_MS = 30_000;

/** serf: `BroadcastTimeout` for each of the two messages of a leave, then `LeavePropagateDelay`. */
const LEAVE_TOLD_MS = 5_000;
const LEAVE_SPREAD_MS = 1_000;

export interface MeshCoreDeps {
  readonly scheduler: Scheduler;
  /** From 0 to just below 1. */
  readonly random: () => number;
  readonly transport: Transport;
  readonly codec: PacketCodec;
  readonly events: MeshEvents;
}

export interface MeshCoreOptions {
  readonly name: string;
  /** Where others reach us. */
  readonly endpoint: Endpoint;
  readonly tags: Tags;
  readonly timings: Timings;
}

export type ChangeListener = (before: MemberRecord | undefined, after: MemberRecord) => void;

export class MeshCore {
  readonly table: MemberTable;
  readonly #deps: MeshCoreDeps;
  readonly #lost = new LostMembers();
  readonly #awareness: Awareness;
  readonly #rounds: Rounds;
  readonly #rumours: Rumours;
  readonly #keeper: MemberKeeper;
  readonly #serf: SerfDelegate;
  readonly #exchange: StateExchange;
  readonly #router: MessageRouter;
  readonly #prober: Prober;
  readonly #pings: Pings;
  readonly #running: readonly { start?(): void; stop(): void }[];
  readonly #listeners = new Set<ChangeListener>();

  /** @throws CodedError INVALID_ARGUMENT for tags that are too long */
  constructor(deps: MeshCoreDeps, options: MeshCoreOptions) {
    this.#deps = deps;
    const { timings } = options;
    const { scheduler, random, events, transport } = deps;
    this.table = new MemberTable(selfRecord(options, scheduler.nowMs()), timings);
    const table = this.table;
    const self = () => table.self;
    this.#awareness = new Awareness(timings.awarenessMax);
    this.#rumours = new Rumours({ retransmitFactor: timings.retransmitFactor, countMembers: () => table.size });
    const rumours = this.#rumours;
    this.#rounds = new Rounds({ table, random, forgetGoneMs: timings.gossipToTheDeadMs, onForget: () => undefined });
    const shared = { table, scheduler, random, events, timings, rumours, rounds: this.#rounds, transport, self };
    const onChange: ChangeListener = (before, after) => this.#onChange(before, after);
    this.#keeper = new MemberKeeper({ ...shared, awareness: this.#awareness, onChange });
    const keeper = this.#keeper;
    this.#serf = new SerfDelegate({
      ...shared,
      selfName: options.name,
      members: () => this.records(),
      onLeft: (name) => this.#onLeft(name),
    });
    const sender = new PacketSender({ ...shared, codec: deps.codec });
    const numbers = new SequenceNumbers();
    this.#exchange = new StateExchange({ ...shared, keeper, application: this.#serf });
    this.#prober = new Prober({ ...shared, sender, keeper, awareness: this.#awareness, numbers });
    const answers = new ProbeAnswers({ ...shared, sender, numbers, find: (name) => table.get(name) });
    this.#pings = new Pings({ ...shared, sender, numbers });
    const parts = {
      prober: this.#prober,
      pings: this.#pings,
      answers,
      keeper,
      serf: this.#serf,
      exchange: this.#exchange,
    };
    this.#router = new MessageRouter({ ...parts, codec: deps.codec, events });
    const retryLost = new Ticker({ scheduler, random, intervalMs: () => RETRY_LOST_MS, run: () => this.#retryLost() });
    this.#running = [
      this.#prober,
      this.#pings,
      new Gossiper({ ...shared, sender }),
      this.#exchange,
      retryLost,
      answers,
      keeper,
    ];
  }

  /** 0 is healthy. */
  get health(): number {
    return this.#awareness.score;
  }

  start(): void {
    this.#keeper.announce();
    for (const part of this.#running) part.start?.();
  }

  /** Ends all that is running, telling nobody: to others it looks like a failure unless `leave` came before. */
  stop(): void {
    for (const part of this.#running) part.stop();
  }

  /** One datagram. Never throws: what is wrong is counted. */
  onPacket(packet: Buffer, from: Endpoint): void {
    this.#router.packet(packet, from);
  }

  /** One message of a stream that another opened; the answer, if there is one. Never throws. */
  onStream(message: Buffer, from: Endpoint): Buffer | undefined {
    return this.#router.stream(message, from);
  }

  /** Exchanges states with whoever is at `to`, which makes us known there. */
  join(to: Endpoint, done: (failure?: Error) => void): void {
    this.#exchange.exchange(to, { isJoin: true }, (failure) => {
      if (failure === undefined) this.#serf.announceJoin();
      done(failure);
    });
  }

  /** Whether a member answers now, over packets and over a stream. Neither, for one that is not known. */
  async ping(name: string): Promise<Pinged> {
    const target = this.table.get(name);
    return target === undefined ? { udp: false, tcp: false } : this.#pings.ping(target);
  }

  /** Tells others that we go, and calls `done` when they had time to hear it. */
  leave(done: () => void): void {
    const finish = () => void this.#deps.scheduler.after(this.#hasCompany() ? LEAVE_SPREAD_MS : 0, done);
    const leaveTable = () => this.#tell((onTold) => this.#keeper.leave(onTold), finish);
    this.#tell((onTold) => this.#serf.announceLeave(onTold), leaveTable);
  }

  /** @throws CodedError INVALID_ARGUMENT when they are too long */
  setTags(tags: Tags): void {
    this.#keeper.renew(encodeTags(tags));
  }

  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** All members, those that the protocol has forgotten but operators have not included. */
  *records(): Generator<MemberRecord> {
    yield* this.table.records();
    for (const record of this.#lost.records()) if (this.table.get(record.name) === undefined) yield record;
  }

  /** Members alive or suspected, ourselves included. */
  countAlive(): number {
    let count = 0;
    for (const record of this.table.records()) if (!isGone(record)) count += 1;
    return count;
  }

  /** Takes members as known, as if they had been heard of long ago: simulations start from a settled mesh. */
  adopt(records: Iterable<MemberRecord>): void {
    for (const record of records) {
      if (record.name === this.table.self.name) continue;
      this.table.adopt(record);
      this.#rounds.add(record.name);
    }
  }

  /** Goes on with `next` when a rumour is told often enough, or nobody is there to hear it, or it takes too long. */
  #tell(tell: (onTold: () => void) => void, next: () => void): void {
    const { scheduler } = this.#deps;
    const proceed = once(next);
    scheduler.after(this.#hasCompany() ? LEAVE_TOLD_MS : 0, proceed);
    // Not from within the queue that is just finishing it.
    tell(() => void scheduler.after(0, proceed));
  }

  #hasCompany(): boolean {
    const self = this.table.self;
    for (const record of this.table.records()) if (record !== self && !isGone(record)) return true;
    return false;
  }

  #onChange(before: MemberRecord | undefined, after: MemberRecord): void {
    if (before === undefined) this.#rounds.add(after.name);
    if (after.state === 'alive') this.#lost.remove(after.name);
    else if (isGone(after) && after.name !== this.table.self.name) this.#lost.add(after);
    this.#serf.changed(before, after);
    this.#deps.events.changed(before, after);
    for (const listener of this.#listeners) listener(before, after);
  }

  #onLeft(name: string): void {
    this.#lost.settleLeft(name);
    this.#keeper.settleLeft(name);
  }

  #retryLost(): void {
    const { random, scheduler } = this.#deps;
    const lost = this.#lost.pickToRetry({ alive: this.countAlive(), nowMs: scheduler.nowMs(), random });
    if (lost !== undefined) this.#exchange.exchange(lost, { isJoin: true }, () => undefined);
  }
}

function selfRecord({ name, endpoint, tags }: MeshCoreOptions, nowMs: number): MemberRecord {
  const { address, port } = endpoint;
  const meta = encodeTags(tags);
  return { name, address, port, meta, vsn: OUR_VERSIONS, incarnation: 1, state: 'alive', sinceMs: nowMs };
}

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    run();
  };
}
