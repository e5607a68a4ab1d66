/** Telling owners what this node has: gathered, one call an owner, told again when owners change or it would be forgotten. */
import type { Digest } from '../../core/oci/digest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { PeerCalls } from '../peer/peer.ts';
import type { ProvidersEvents } from './events.ts';
import { ANNOUNCE_MAX, announceRequest, type Holding, providerMethods } from './provider-methods.ts';
import { KEEP_MS } from './provider-table.ts';
import type { HoldingState, HoldingTeller, LiveMembers, SwarmMember } from './providers.ts';
import { ownersOf } from './rendezvous.ts';

/** What changes is gathered for so long, milliseconds. */
const GATHER_MS = 200;
/** After a failed call, and between steps through all that is held, milliseconds. */
const AGAIN_MS = 2_000;
/** Everything is told again in good time before it would be forgotten. */
const REFRESH_MS = KEEP_MS * 0.4;
const DEADLINE_MS = 2_000;
/** Digests looked at in one step, so that a large store does not hold the event loop. */
const STEP_MAX = 500;
/** Blobs that this node tells of; an owner would take no more of one member anyway. */
const HELD_MAX = 50_000;
/** Progress of a running download is told in steps of so many pieces. */
const PIECES_STEP = 64;

export interface AnnouncerDeps {
  readonly self: string;
  readonly members: LiveMembers;
  readonly calls: PeerCalls;
  readonly clock: Clock;
  readonly events: ProvidersEvents;
  /** Takes what this node tells itself, as an owner. */
  readonly own: (holdings: readonly Holding[]) => void;
}

interface Held {
  state: HoldingState | 'gone';
  pieces: number;
  /** Grows when what is to be told changes. */
  version: number;
  /** By owner's name: what it was told, and when. */
  readonly told: Map<string, { version: number; atMs: number }>;
}

export class Announcer implements HoldingTeller {
  readonly #deps: AnnouncerDeps;
  readonly #held = new Map<Digest, Held>();
  readonly #due = new Set<Digest>();
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(deps: AnnouncerDeps) {
    this.#deps = deps;
  }

  holds(digest: Digest, state: HoldingState, pieces = 0): void {
    const held = this.#held.get(digest);
    if (held === undefined) {
      if (this.#held.size >= HELD_MAX) return;
      this.#held.set(digest, { state, pieces, version: 1, told: new Map() });
    } else {
      if (held.state === state && (state === 'whole' || Math.abs(pieces - held.pieces) < PIECES_STEP)) return;
      Object.assign(held, { state, pieces, version: held.version + 1 });
    }
    this.#tellSoon(digest);
  }

  gone(digest: Digest): void {
    const held = this.#held.get(digest);
    if (held === undefined || held.state === 'gone') return;
    Object.assign(held, { state: 'gone', version: held.version + 1 });
    this.#tellSoon(digest);
  }

  /** Owners may be others now. */
  tellAgain(): void {
    for (const digest of this.#held.keys()) this.#due.add(digest);
    this.#wake();
  }

  /** Tells everything again in good time, until stopped. Never rejects. */
  async refresh(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#deps.clock.sleep(REFRESH_MS, { signal }).catch(() => undefined);
      if (!signal.aborted) this.tellAgain();
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  #tellSoon(digest: Digest): void {
    this.#due.add(digest);
    this.#wake();
  }

  #wake(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { clock } = this.#deps;
    let pauseMs = GATHER_MS;
    while (this.#due.size > 0 && !signal.aborted) {
      await clock.sleep(pauseMs, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      pauseMs = (await this.#tellStep()) ? GATHER_MS : AGAIN_MS;
    }
  }

  /** @returns whether every owner took what it was told */
  async #tellStep(): Promise<boolean> {
    const step = [...this.#due].slice(0, STEP_MAX);
    const members = this.#deps.members();
    const byOwner = new Map<SwarmMember, Digest[]>();
    for (const digest of step) {
      this.#due.delete(digest);
      for (const owner of this.#ownersToTell(digest, members)) {
        const toTell = byOwner.get(owner);
        if (toTell === undefined) byOwner.set(owner, [digest]);
        else toTell.push(digest);
      }
    }
    const told = await Promise.all([...byOwner].map(([owner, digests]) => this.#tell(owner, digests)));
    for (const digest of step) this.#forgetIfGone(digest);
    return told.every(Boolean);
  }

  /** Owners that do not know the present state, or may forget it. */
  #ownersToTell(digest: Digest, members: readonly SwarmMember[]): SwarmMember[] {
    const held = this.#held.get(digest);
    if (held === undefined) return [];
    const owners = ownersOf(digest, members);
    const names = new Set(owners.map(({ name }) => name));
    for (const name of held.told.keys()) if (!names.has(name)) held.told.delete(name);
    const staleMs = this.#deps.clock.monotonicMs() - REFRESH_MS * 0.9;
    return owners.filter(({ name }) => {
      const told = held.told.get(name);
      return told === undefined || told.version !== held.version || told.atMs < staleMs;
    });
  }

  async #tell(owner: SwarmMember, digests: readonly Digest[]): Promise<boolean> {
    for (let at = 0; at < digests.length; at += ANNOUNCE_MAX) {
      if (!(await this.#tellBatch(owner, digests.slice(at, at + ANNOUNCE_MAX)))) return false;
    }
    return true;
  }

  async #tellBatch(owner: SwarmMember, digests: readonly Digest[]): Promise<boolean> {
    const { self, calls, clock, events, own } = this.#deps;
    const versions = digests.map((digest) => this.#held.get(digest)?.version ?? 0);
    const holdings = digests.map((digest) => this.#holding(digest));
    try {
      if (owner.name === self) own(holdings);
      else {
        const options = { signal: this.#stop.signal, deadlineMs: DEADLINE_MS };
        await calls.call(owner, providerMethods().announce, announceRequest(self, holdings), options);
      }
    } catch {
      events.announced('failed', holdings.length);
      for (const digest of digests) this.#due.add(digest);
      return false;
    }
    events.announced('told', holdings.length);
    const atMs = clock.monotonicMs();
    digests.forEach((digest, at) => {
      this.#held.get(digest)?.told.set(owner.name, { version: versions[at] ?? 0, atMs });
    });
    return true;
  }

  #holding(digest: Digest): Holding {
    const held = this.#held.get(digest);
    return held === undefined || held.state === 'gone'
      ? { digest }
      : { digest, state: held.state, pieces: held.pieces };
  }

  #forgetIfGone(digest: Digest): void {
    if (this.#held.get(digest)?.state === 'gone' && !this.#due.has(digest)) this.#held.delete(digest);
  }
}
