/** The desk: takes seeds for the fleet, carries them to its nodes, and keeps them for those that come later. */
import type { Clock } from '../../../core/runtime/clock.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import type { Service } from '../../../core/runtime/lifecycle.ts';
import { Semaphore } from '../../../core/runtime/semaphore.ts';
import type { Digest } from '../../../core/oci/digest.ts';
import type { SeedEvents } from '../events.ts';
import type { LeaseDesk } from '../lease/lease-desk.ts';
import { KEPT_MAX, SEEDS_MAX, TARGETS_MAX } from '../limits.ts';
import type {
  ImageRow,
  LeaseAsk,
  LeaseWord,
  RunningSeed,
  SeedDesk,
  SeedImage,
  SeedRequest,
  SeedStatus,
  SeedStep,
} from '../seed.ts';
import { driveNode, failedRow } from './drive-node.ts';
import { type ManifestSources, gatherManifests } from './gather-manifests.ts';
import { Inspection } from './inspection.ts';
import { KeptSeed } from './kept-seed.ts';
import { type SeedMembers, liveMember } from './members.ts';
import { Newcomers } from './newcomers.ts';
import { StepQueue } from './step-queue.ts';

export interface FleetDeskDeps {
  readonly members: SeedMembers;
  readonly manifests: ManifestSources;
  readonly leases: Pick<LeaseDesk, 'ask'>;
  readonly clock: Clock;
  readonly events: SeedEvents;
  /** A text that no other seed has. */
  newId(): string;
}

type Call = { readonly signal: AbortSignal };

export class FleetDesk implements SeedDesk, Service {
  readonly #deps: FleetDeskDeps;
  readonly #inspection: Inspection;
  readonly #newcomers: Newcomers;
  readonly #seeds = new Map<string, KeptSeed>();
  readonly #runs = new Set<Promise<void>>();

  constructor(deps: FleetDeskDeps) {
    this.#deps = deps;
    this.#inspection = new Inspection(deps);
    this.#newcomers = new Newcomers({ ...deps, seeds: () => this.#seeds.values(), drop: (id) => this.#drop(id) });
  }

  async start(): Promise<void> {
    this.#newcomers.start();
  }

  async stop(): Promise<void> {
    for (const { stop } of this.#seeds.values()) stop.abort(new CodedError('CANCELLED', 'Node is stopping'));
    await this.#newcomers.stop();
    await Promise.allSettled(this.#runs);
  }

  /** To be called when the members have changed. */
  membersChanged(): void {
    this.#newcomers.look();
  }

  seed(request: SeedRequest, { signal }: Call): RunningSeed {
    const running = [...this.#seeds.values()].filter(({ isRunning }) => isRunning);
    if (running.length >= SEEDS_MAX) {
      throw new CodedError('RESOURCE_EXHAUSTED', `Seed is refused: ${SEEDS_MAX} run at this node already`);
    }
    const { clock, events, members, newId } = this.#deps;
    const seed = new KeptSeed(newId(), request, { nowMs: clock.now(), live: members.list() });
    this.#keep(seed);
    const queue = new StepQueue();
    const run = this.#run(seed, { request, queue, signal: AbortSignal.any([signal, seed.stop.signal]) });
    this.#runs.add(run);
    void run.then(() => this.#runs.delete(run));
    const { id } = seed;
    events.seedStarted({ id, pin: request.pin.name, images: request.images.length, nodes: request.targets.length });
    return { id, counts: () => seed.counts.get(), steps: untilLeft(queue, () => this.cancel(id)) };
  }

  *seeds(): Iterable<SeedStatus> {
    for (const seed of this.#seeds.values()) yield seed.status();
  }

  cancel(id: string): boolean {
    const seed = this.#seeds.get(id);
    if (seed === undefined) return false;
    seed.stop.abort(new CodedError('CANCELLED', 'Seed was cancelled'));
    this.#drop(id);
    return true;
  }

  presence(asked: { digests: readonly Digest[]; nodes?: readonly string[]; silenceMs: number }, call: Call) {
    return this.#inspection.presence(asked, call);
  }

  nodes(call: Call) {
    return this.#inspection.nodes(call);
  }

  lease(ask: LeaseAsk, call: Call): Promise<LeaseWord> {
    return this.#deps.leases.ask(ask, call);
  }

  /** Never rejects. */
  async #run(
    seed: KeptSeed,
    { request, queue, signal }: { request: SeedRequest; queue: StepQueue; signal: AbortSignal },
  ): Promise<void> {
    const { clock, events, manifests } = this.#deps;
    const { limits, pin } = request;
    const over = new AbortController();
    const bounded = AbortSignal.any([signal, over.signal]);
    const late = new CodedError('UNAVAILABLE', 'The deadline of the seed has passed');
    const endsAtMs = clock.monotonicMs() + limits.deadlineMs;
    clock.sleep(limits.deadlineMs, { signal: bounded }).then(
      () => over.abort(late),
      () => undefined,
    );
    try {
      const images = await gatherManifests(manifests, request.images, bounded).catch(
        (): readonly SeedImage[] => request.images,
      );
      const turns = new Semaphore({ permits: limits.parallelNodes, waitersMax: TARGETS_MAX });
      const node = (name: string) =>
        this.#seedNode(seed, { ...request, images }, { name, queue, turns, endsAtMs, signal: bounded });
      await Promise.all(request.targets.map(node));
      queue.close(seed.stop.signal.aborted ? { error: seed.stop.signal.reason } : undefined);
    } catch (error) {
      queue.close({ error });
    }
    over.abort();
    seed.isRunning = false;
    // Whoever went away does not want it for newcomers either.
    if (signal.aborted) this.#drop(seed.id);
    events.seedEnded({ id: seed.id, pin: pin.name, ...seed.counts.get() });
    this.#newcomers.look();
  }

  /** Never rejects. */
  async #seedNode(seed: KeptSeed, request: SeedRequest, { name, queue, turns, endsAtMs, signal }: Turn): Promise<void> {
    const { clock, members, events } = this.#deps;
    const tell = (row: ImageRow) => {
      const image = request.images[row.image];
      if (image === undefined) return;
      seed.counts.add(row);
      queue.put({ node: name, image, row });
    };
    const { limits, pin, level, images } = request;
    try {
      // Who is not there needs no turn.
      liveMember(members, name);
      await turns.run(
        async () => {
          const member = liveMember(members, name);
          const leftMs = Math.max(1, endsAtMs - clock.monotonicMs());
          const deadlineMs = Math.min(leftMs, limits.nodeDeadlineMs ?? leftMs);
          const { parallelBlobs, maxBytesPerNode, silenceMs } = limits;
          const order = {
            id: seed.id,
            pin,
            level,
            images,
            parallelBlobs,
            deadlineMs,
            ...(maxBytesPerNode !== undefined && { maxBytes: maxBytesPerNode }),
          };
          const driven = { name, node: members.reach(member, silenceMs), order, silenceMs };
          // A node that fell silent may be there again before the mesh has noticed.
          if (!(await driveNode(clock, driven, tell, signal))) seed.failed(name);
        },
        { signal },
      );
    } catch (error) {
      events.nodeFailed({ id: seed.id, node: name }, error);
      for (const [at, image] of images.entries()) tell(failedRow(at, image, error));
    }
  }

  #keep(seed: KeptSeed): void {
    for (const [id, other] of this.#seeds) {
      if (!other.isRunning && other.key === seed.key) this.#drop(id);
    }
    if (this.#seeds.size >= KEPT_MAX) {
      const kept = [...this.#seeds.values()].filter(({ isRunning }) => !isRunning);
      const [first] = kept.sort((a, b) => a.request.pin.untilMs - b.request.pin.untilMs);
      if (first !== undefined) this.#drop(first.id);
    }
    this.#seeds.set(seed.id, seed);
  }

  #drop(id: string): void {
    const seed = this.#seeds.get(id);
    if (seed?.isRunning === false) seed.stop.abort(new CodedError('CANCELLED', 'Seed has ended'));
    this.#seeds.delete(id);
  }
}

interface Turn {
  readonly name: string;
  readonly queue: StepQueue;
  readonly turns: Semaphore;
  readonly endsAtMs: number;
  readonly signal: AbortSignal;
}

/** Whoever stops reading before the end does not want the seed any more. */
async function* untilLeft(steps: StepQueue, onLeft: () => void): AsyncGenerator<SeedStep, void> {
  let isWhole = false;
  try {
    yield* steps;
    isWhole = true;
  } finally {
    if (!isWhole) onLeft();
  }
}
