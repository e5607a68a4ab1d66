/** The neighbours of this node in one swarm: who they are, what they have, and telling each other. */
import type { Clock } from '../../core/runtime/clock.ts';
import { isCode } from '../../core/runtime/errors.ts';
import type { Digest } from '../../core/oci/digest.ts';
import type { PeerCalls } from '../peer/peer.ts';
import { memberNamed } from '../providers/member-named.ts';
import type { LiveMembers, SwarmMember } from '../providers/providers.ts';
import { type NeighbourNews, type NeighbourState, readNews, writeExchange } from './neighbour-messages.ts';
import { VOUCHES_MAX } from './owner-messages.ts';
import { PieceSet } from './piece-set.ts';
import { swarmMethods } from './swarm-methods.ts';
import type { Vouch } from './vouch-table.ts';

/** Neighbours at once: those that the owner named, and those that were told of us. */
export const NEIGHBOURS_MAX = 32;
/**
 * What changes is gathered before it is told: for this part of what a piece takes, which is soon enough for pieces to be passed
 * on while they come, within bounds, milliseconds. Every exchange costs both sides as much work as some 100 KiB of a piece do.
 */
const TELL_SHARE = 0.5;
const TELL_MS_MIN = 50;
const TELL_MS_MAX = 2_000;
/** Before the first piece is here: it takes at least as long as it has taken until now. */
const TELL_MS_FIRST = 100;
/** Neighbours are asked again so often when they tell nothing, milliseconds. */
const ASK_MS = 2_000;
/** One that the owner no longer names is kept while it is heard of within this, milliseconds. */
const KEEP_MS = 6_000;
const DEADLINE_MS = 2_000;
/** Failed calls in a row after which a neighbour is dropped. */
const FAILURES_MAX = 3;

export interface Neighbour {
  readonly member: SwarmMember;
  have: PieceSet;
  arriving: ReadonlyMap<number, number>;
  /** It says that it has the proven whole. */
  isProven: boolean;
  /** It says that its containerd writes it. */
  isWriting: boolean;
  /** Ranges being read from it now. */
  running: number;
}

interface Known extends Neighbour {
  isNamed: boolean;
  heardAtMs: number;
  /** How many of our vouches it was told, and after which change of ours. */
  told: number;
  toldChange: number;
  failures: number;
  calling: 'no' | 'yes' | 'again';
  /** As a holder it has said what it has of some piece. */
  hasSaid: boolean;
}

export interface NeighbourhoodDeps {
  readonly self: string;
  readonly blob: { readonly digest: Digest; readonly size: number };
  readonly pieceCount: number;
  readonly members: LiveMembers;
  readonly calls: PeerCalls;
  readonly clock: Clock;
  readonly isBanned: (name: string) => boolean;
  /** What this node has of it now. */
  readonly state: () => NeighbourState;
  /** What this node has accepted, in order. */
  readonly accepted: readonly Vouch[];
  /** What a piece takes on this node's line, milliseconds; 0 while that is not known. */
  readonly pieceMs: () => number;
  /** A neighbour has told something. */
  readonly onNews: (name: string, news: NeighbourNews) => void;
}

export class Neighbourhood {
  readonly #deps: NeighbourhoodDeps;
  readonly #known = new Map<string, Known>();
  #isTelling = false;
  /** Grows with each change of what this node has. */
  #change = 0;
  #signal = AbortSignal.abort();
  readonly #sinceMs: number;

  constructor(deps: NeighbourhoodDeps) {
    this.#deps = deps;
    this.#sinceMs = deps.clock.monotonicMs();
  }

  all(): Iterable<Neighbour> {
    return this.#known.values();
  }

  get(name: string): Neighbour | undefined {
    return this.#known.get(name);
  }

  names(): string[] {
    return [...this.#known.keys()];
  }

  get count(): number {
    return this.#known.size;
  }

  /** Those that the owner names; others stay as long as they are heard of. */
  name(names: readonly string[]): void {
    const named = new Set(names);
    for (const known of this.#known.values()) known.isNamed = named.has(known.member.name);
    for (const name of named) {
      const known = this.#known.get(name) ?? this.#add(name);
      if (known === undefined) continue;
      if (!known.isNamed) known.isNamed = true;
      if (known.heardAtMs === 0) this.#call(known);
    }
    this.#dropSilent();
  }

  /** An exchange that a member began. @returns what it is told in turn, so that it need not be called */
  heard(name: string, news: NeighbourNews): NeighbourNews {
    const known = this.#known.get(name) ?? this.#add(name);
    if (known === undefined) return { ...this.#deps.state(), vouches: [] };
    this.#learn(known, news);
    const vouches = this.#untold(known);
    known.told += vouches.length;
    known.toldChange = this.#change;
    return { ...this.#deps.state(), vouches };
  }

  drop(name: string): void {
    this.#known.delete(name);
  }

  /** Something changed here: neighbours that can use it are told soon. */
  tell(): void {
    this.#change += 1;
    if (this.#isTelling || this.#signal.aborted) return;
    this.#isTelling = true;
    const isMeant = (known: Known) => known.isNamed && !known.have.isFull && known.toldChange !== this.#change;
    void this.#tellLater(this.#tellMs(), isMeant).finally(() => {
      this.#isTelling = false;
    });
  }

  /** This node fetched a piece itself: holders are told, and say what they have of it, until each has said something. */
  confront(): void {
    for (const known of this.#known.values()) if (known.isProven && !known.hasSaid) this.#call(known);
  }

  /** Asks everyone now and then, until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    for (const known of this.#known.values()) this.#call(known);
    while (!signal.aborted) {
      const beforeMs = this.#nowMs() - ASK_MS / 2;
      await this.#tellLater(
        ASK_MS,
        ({ isNamed, isProven, heardAtMs }) => (isNamed || isProven) && heardAtMs < beforeMs,
      );
      this.#dropSilent();
    }
  }

  #tellMs(): number {
    const pieceMs = this.#deps.pieceMs();
    if (pieceMs > 0) return Math.min(TELL_MS_MAX, Math.max(TELL_MS_MIN, pieceMs * TELL_SHARE));
    return Math.min(TELL_MS_MAX, Math.max(TELL_MS_FIRST, (this.#nowMs() - this.#sinceMs) * TELL_SHARE));
  }

  async #tellLater(ms: number, isMeant: (known: Known) => boolean): Promise<void> {
    await this.#deps.clock.sleep(ms, { signal: this.#signal }).catch(() => undefined);
    if (this.#signal.aborted) return;
    for (const known of this.#known.values()) if (isMeant(known)) this.#call(known);
  }

  #add(name: string): Known | undefined {
    const { self, members, isBanned, pieceCount } = this.#deps;
    if (name === self || isBanned(name) || this.#known.size >= NEIGHBOURS_MAX) return undefined;
    const member = memberNamed(members(), name);
    if (member === undefined) return undefined;
    const known: Known = {
      member,
      have: new PieceSet(pieceCount),
      arriving: new Map(),
      isProven: false,
      isWriting: false,
      running: 0,
      isNamed: false,
      heardAtMs: 0,
      told: 0,
      toldChange: -1,
      failures: 0,
      calling: 'no',
      hasSaid: false,
    };
    this.#known.set(name, known);
    return known;
  }

  #dropSilent(): void {
    const beforeMs = this.#nowMs() - KEEP_MS;
    for (const [name, { isNamed, heardAtMs, running }] of this.#known) {
      if (this.#deps.isBanned(name) || (!isNamed && running === 0 && heardAtMs < beforeMs)) this.#known.delete(name);
    }
  }

  /** One call at a time to each; what changes meanwhile makes one more. */
  #call(known: Known): void {
    if (this.#signal.aborted) return;
    if (known.calling !== 'no') {
      known.calling = 'again';
      return;
    }
    known.calling = 'yes';
    void this.#exchange(known).finally(() => {
      const isAgain = known.calling === 'again' && this.#known.get(known.member.name) === known;
      known.calling = 'no';
      if (isAgain) this.#call(known);
    });
  }

  async #exchange(known: Known): Promise<void> {
    const { self, blob, state, calls } = this.#deps;
    const vouches = this.#untold(known);
    const change = this.#change;
    const before = known.told;
    const request = writeExchange(self, { ...blob, ...state(), vouches });
    try {
      const options = { signal: this.#signal, deadlineMs: DEADLINE_MS };
      const reply = await calls.call(known.member, swarmMethods().exchange, request, options);
      known.told = Math.max(known.told, before + vouches.length);
      known.toldChange = Math.max(known.toldChange, change);
      known.failures = 0;
      this.#learn(known, readNews(reply));
    } catch (error) {
      known.failures += isCode(error, 'NOT_FOUND') ? FAILURES_MAX : 1;
      if (known.failures >= FAILURES_MAX) this.#known.delete(known.member.name);
    }
  }

  #untold(known: Known): readonly Vouch[] {
    return this.#deps.accepted.slice(known.told, known.told + VOUCHES_MAX);
  }

  #learn(known: Known, news: NeighbourNews): void {
    const { have, arriving } = news;
    const pieces = PieceSet.parse(have, this.#deps.pieceCount);
    if (pieces === undefined) return;
    known.have = pieces;
    known.isProven = news.isProven;
    known.isWriting = news.isWriting;
    if (news.isProven && news.vouches.length > 0) known.hasSaid = true;
    known.arriving = new Map(arriving.map(({ piece, depth }) => [piece, depth]));
    known.heardAtMs = this.#nowMs();
    this.#deps.onNews(known.member.name, news);
  }

  #nowMs(): number {
    return this.#deps.clock.monotonicMs();
  }
}
