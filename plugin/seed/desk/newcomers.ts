/** Members that come while a pin lasts: each gets what the seed asked for, at once. */
import type { Clock } from '../../../core/runtime/clock.ts';
import { Semaphore } from '../../../core/runtime/semaphore.ts';
import type { SeedEvents } from '../events.ts';
import { CALL_MS, NEWCOMERS_AT_ONCE, TARGETS_MAX } from '../limits.ts';
import type { ImageRow } from '../seed.ts';
import { driveNode } from './drive-node.ts';
import { type ManifestSources, gatherManifests } from './gather-manifests.ts';
import type { KeptSeed } from './kept-seed.ts';
import type { SeedMember, SeedMembers } from './members.ts';

/** A newcomer owns lists of providers that the others have yet to tell it: asked too early, it would go to the registry. */
const SETTLE_MS = 3_000;
/** Looked after so often besides: ends of pins, and newcomers that failed. */
const LOOK_EVERY_MS = 15_000;

export interface NewcomersDeps {
  readonly members: SeedMembers;
  readonly manifests: ManifestSources;
  readonly clock: Clock;
  readonly events: SeedEvents;
  seeds(): Iterable<KeptSeed>;
  drop(id: string): void;
  newId(): string;
}

export class Newcomers {
  readonly #deps: NewcomersDeps;
  readonly #turns = new Semaphore({ permits: NEWCOMERS_AT_ONCE, waitersMax: TARGETS_MAX });
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(deps: NewcomersDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#track(this.#lookNowAndThen());
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#running);
  }

  look(): void {
    const { members, clock, drop } = this.#deps;
    if (this.#stop.signal.aborted) return;
    const live = members.list();
    for (const seed of [...this.#deps.seeds()]) {
      const isOver = seed.request.pin.untilMs <= clock.now();
      if (isOver && !seed.isRunning) drop(seed.id);
      if (isOver) continue;
      for (const member of seed.takeNewcomers(live)) this.#track(this.#catchUp(seed, member));
    }
  }

  /** Never rejects. */
  async #catchUp(seed: KeptSeed, member: SeedMember): Promise<void> {
    const { events, newId } = this.#deps;
    const signal = AbortSignal.any([this.#stop.signal, seed.stop.signal]);
    // Another order than the seed's own: the member may remember how that one ended.
    const orderId = `${seed.id}.${newId()}`;
    let hasFailed = false;
    const onRow = ({ state, isRetriable }: ImageRow) => {
      if (state === 'failed' && isRetriable) hasFailed = true;
    };
    try {
      await this.#deps.clock.sleep(SETTLE_MS, { signal });
      await this.#turns.run(() => this.#drive({ seed, member, orderId }, onRow, signal), { signal });
    } catch (error) {
      hasFailed = true;
      if (!signal.aborted) events.nodeFailed({ id: seed.id, node: member.name }, error);
    }
    if (hasFailed) seed.failed(member.name);
  }

  async #drive(
    { seed, member, orderId }: { seed: KeptSeed; member: SeedMember; orderId: string },
    onRow: (row: ImageRow) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, events, manifests, members } = this.#deps;
    const { pin, level, limits, images: asked } = seed.request;
    const { silenceMs, parallelBlobs, maxBytesPerNode } = limits;
    const node = members.reach(member, silenceMs);
    const facts = await node.facts({ signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]) });
    if (!seed.isForPlatform(member, facts.platform)) return;
    events.newcomerSeeded({ id: seed.id, pin: pin.name, node: member.name });
    seed.newcomers += 1;
    const images = await gatherManifests(manifests, asked, signal);
    const order = {
      ...{ id: orderId, pin, level, images, parallelBlobs },
      deadlineMs: Math.max(1, Math.min(limits.deadlineMs, pin.untilMs - clock.now())),
      ...(maxBytesPerNode !== undefined && { maxBytes: maxBytesPerNode }),
    };
    await driveNode(clock, { name: member.name, node, order, silenceMs }, onRow, signal);
  }

  async #lookNowAndThen(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#deps.clock.sleep(LOOK_EVERY_MS, { signal }).catch(() => undefined);
      this.look();
    }
  }

  #track(work: Promise<void>): void {
    this.#running.add(work);
    void work.then(() => this.#running.delete(work));
  }
}
