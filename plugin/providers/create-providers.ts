/** Who has what, put together: the table of what others told, and telling and asking others. */
import type { Digest } from '../../core/oci/digest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';
import type { PeerCalls, PeerHandler } from '../peer/peer.ts';
import { Announcer } from './announcer.ts';
import { callerMember } from './caller-name.ts';
import { createProvidersEvents, type ProvidersEvents } from './events.ts';
import { LookUps } from './look-ups.ts';
import {
  ANSWER_MAX,
  type Holding,
  lookUpReply,
  providerMethods,
  readAnnounce,
  readLookUp,
} from './provider-methods.ts';
import { KEEP_MS, ProviderTable } from './provider-table.ts';
import type { HoldingState, LiveMembers, PeerService, Provider, Providers } from './providers.ts';

/** Old entries are swept out so often, milliseconds. */
const SWEEP_MS = 60_000;

export interface ProvidersDeps {
  /** This node's name in the mesh. */
  readonly self: string;
  readonly members: LiveMembers;
  readonly calls: PeerCalls;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: Metrics;
}

export function createProviders(deps: ProvidersDeps): Providers {
  return new RendezvousProviders(deps);
}

class RendezvousProviders implements Providers {
  readonly handlers: PeerService['handlers'];
  readonly #deps: ProvidersDeps;
  readonly #table = new ProviderTable();
  readonly #events: ProvidersEvents;
  readonly #announcer: Announcer;
  readonly #lookUps: LookUps;
  readonly #stop = new AbortController();
  #life: Promise<unknown> = Promise.resolve();

  constructor(deps: ProvidersDeps) {
    this.#deps = deps;
    this.#events = createProvidersEvents(deps.metrics, () => this.#table.digestCount);
    const shared = { ...deps, events: this.#events };
    this.#announcer = new Announcer({ ...shared, own: (holdings) => this.#take(deps.self, holdings) });
    this.#lookUps = new LookUps({ ...shared, listed: (digest) => this.listed(digest) });
    const { announce, lookUp } = providerMethods();
    this.handlers = [
      { method: announce, handler: this.#onAnnounce },
      { method: lookUp, handler: this.#onLookUp },
    ];
  }

  async start(): Promise<void> {
    this.#life = Promise.all([this.#announcer.refresh(), this.#sweep()]);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#lookUps.stop();
    await this.#announcer.stop();
    await this.#life;
  }

  holds(digest: Digest, state: HoldingState, pieces?: number): void {
    this.#announcer.holds(digest, state, pieces);
  }

  gone(digest: Digest): void {
    this.#announcer.gone(digest);
  }

  peek(digest: Digest): readonly Provider[] | undefined {
    return this.#lookUps.peek(digest);
  }

  lookUp(digests: readonly Digest[]): void {
    this.#lookUps.lookUp(digests);
  }

  isAsking(digest: Digest): boolean {
    return this.#lookUps.isAsking(digest);
  }

  settled(digest: Digest, options: { signal: AbortSignal }): Promise<void> {
    return this.#lookUps.settled(digest, options);
  }

  listed(digest: Digest): Provider[] {
    return this.#table.providers(digest, this.#deps.clock.monotonicMs());
  }

  membersChanged(): void {
    const live = new Set(this.#deps.members().map(({ name }) => name));
    for (const member of [...this.#table.members()]) if (!live.has(member)) this.#table.removeMember(member);
    this.#announcer.tellAgain();
  }

  readonly #onAnnounce: PeerHandler = async (request, { peer }) => {
    const { from, holdings, unread } = readAnnounce(request);
    const member = callerMember(peer, from, this.#deps.members());
    const refused = unread + (member.mode === 'full' ? this.#take(member.name, holdings) : holdings.length);
    if (refused > 0) this.#events.refused(refused);
    return { refused, keepSeconds: KEEP_MS / 1000 };
  };

  readonly #onLookUp: PeerHandler = async (request) => {
    const answers = readLookUp(request).map((digest) => ({ digest, providers: this.#someOf(this.listed(digest)) }));
    return lookUpReply(answers);
  };

  /** @returns how many did not fit */
  #take(member: string, holdings: readonly Holding[]): number {
    const nowMs = this.#deps.clock.monotonicMs();
    let refused = 0;
    for (const { digest, state, pieces = 0 } of holdings) {
      if (state === undefined) this.#table.remove(member, digest);
      else if (!this.#table.put(member, digest, { state, pieces, nowMs })) refused += 1;
    }
    return refused;
  }

  /** As many as a message takes, from a random start, so that not everyone asks the same ones; those with all of it first. */
  #someOf(providers: readonly Provider[]): Provider[] {
    const start = Math.floor(this.#deps.random() * providers.length);
    const turned = [...providers.slice(start), ...providers.slice(0, start)];
    const isWhole = ({ state }: Provider) => state === 'whole';
    return [...turned.filter(isWhole), ...turned.filter((one) => !isWhole(one))].slice(0, ANSWER_MAX);
  }

  async #sweep(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#deps.clock.sleep(SWEEP_MS, { signal }).catch(() => undefined);
      this.#table.expire(this.#deps.clock.monotonicMs());
    }
  }
}
