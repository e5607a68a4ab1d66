/** Seeding on this node: orders at work, each with its deadline, ended when nobody asks about it any more. */
import type { Digest } from '../../../core/oci/digest.ts';
import { CodedError, codeOf, messageOf } from '../../../core/runtime/errors.ts';
import type { Service } from '../../../core/runtime/lifecycle.ts';
import { type SeedEvents, createSeedEvents } from '../events.ts';
import { blobsOf } from '../image-blobs.ts';
import { ORDERS_MAX, REMEMBERED_MAX, REMEMBERED_MS, UNWATCHED_MS } from '../limits.ts';
import { isRetriable } from '../retriable.ts';
import type { NodeFacts, NodeSeeding, OrderNews, SeedOrder } from '../seed.ts';
import type { NodeSeedingDeps } from './node-deps.ts';
import { OrderBoard, isEnd } from './order-board.ts';
import { roomBytes } from './room-bytes.ts';
import { OrderRun } from './run-order.ts';

interface Work {
  readonly order: SeedOrder;
  readonly board: OrderBoard;
  readonly run: OrderRun;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  watchedAtMs: number;
}

type Call = { readonly signal: AbortSignal };

export class LocalSeeding implements NodeSeeding, Service {
  readonly #deps: NodeSeedingDeps;
  readonly #events: SeedEvents;
  readonly #works = new Map<string, Work>();

  constructor(deps: NodeSeedingDeps, events: SeedEvents = createSeedEvents(deps)) {
    this.#deps = deps;
    this.#events = events;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    const works = [...this.#works.values()];
    for (const { stop } of works) stop.abort(new CodedError('UNAVAILABLE', 'Node is stopping'));
    await Promise.all(works.map(({ ended }) => ended));
  }

  async begin(order: SeedOrder): Promise<void> {
    this.#begin(order);
  }

  async watch(watched: { id: string; revision: number; waitMs: number }, { signal }: Call): Promise<OrderNews> {
    const { board, run } = this.#touch(watched.id);
    if (!board.hasEnded(watched.revision)) await this.#nextEnd(board, watched.waitMs, signal);
    this.#touch(watched.id);
    run.look();
    return board.news(watched.revision);
  }

  async cancel(id: string): Promise<void> {
    this.#works.get(id)?.stop.abort(new CodedError('CANCELLED', 'Seed was cancelled'));
  }

  async presence(digests: readonly Digest[]): Promise<Uint8Array> {
    const bits = new Uint8Array(Math.ceil(digests.length / 8));
    for (const [at, digest] of digests.entries()) {
      if (this.#deps.store.stat(digest) === undefined) continue;
      bits[at >> 3] = (bits[at >> 3] ?? 0) | (0x80 >> (at & 7));
    }
    return bits;
  }

  async facts({ signal }: Call): Promise<NodeFacts> {
    const { platform, disk, runtime } = this.#deps;
    const canUnpack = runtime !== undefined && (await runtime.isThere({ signal }));
    return { platform, freeBytes: disk.freeBytes(), roomBytes: roomBytes(this.#deps), canUnpack };
  }

  #begin(order: SeedOrder): void {
    if (this.#works.has(order.id)) return;
    const working = [...this.#works.values()].filter(({ board }) => !board.isDone);
    if (working.length >= ORDERS_MAX) {
      throw new CodedError('RESOURCE_EXHAUSTED', `Seed is refused: ${ORDERS_MAX} are at work on this node already`);
    }
    this.#forgetOldest();
    const { clock } = this.#deps;
    const startedMs = clock.monotonicMs();
    const board = new OrderBoard(order.images.map(totalsOf), () => clock.monotonicMs() - startedMs);
    const stop = new AbortController();
    const run = new OrderRun(this.#deps, order, board);
    const begun = { order, board, run, stop, watchedAtMs: startedMs };
    this.#works.set(order.id, { ...begun, ended: this.#carryOut(begun) });
    this.#events.orderStarted({ id: order.id, pin: order.pin.name, images: order.images.length });
  }

  /** Never rejects. */
  async #carryOut({ order, board, run, stop }: Omit<Work, 'ended'>): Promise<void> {
    const { clock } = this.#deps;
    const over = new AbortController();
    const late = new CodedError('UNAVAILABLE', 'The deadline of the seed has passed');
    clock.sleep(order.deadlineMs, { signal: over.signal }).then(
      () => stop.abort(late),
      () => undefined,
    );
    void this.#endUnwatched(order.id, stop, over.signal);
    try {
      await run.run(stop.signal);
    } catch (error) {
      const reason = messageOf(error);
      board.endAll({ state: 'failed', reason, code: codeOf(error), isRetriable: isRetriable(error) });
    }
    over.abort();
    for (const row of board.news(0).rows) {
      const image = order.images[row.image];
      if (image !== undefined && isEnd(row)) this.#events.imageEnded(order, image, row);
    }
    void clock.sleep(REMEMBERED_MS).then(() => this.#works.delete(order.id));
  }

  async #endUnwatched(id: string, stop: AbortController, over: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    while (!over.aborted) {
      await clock.sleep(UNWATCHED_MS / 3, { signal: over }).catch(() => undefined);
      const work = this.#works.get(id);
      if (over.aborted || work === undefined) return;
      if (clock.monotonicMs() - work.watchedAtMs < UNWATCHED_MS) continue;
      this.#events.orderUnwatched({ id });
      stop.abort(new CodedError('CANCELLED', 'Nobody asks about the seed any more'));
      return;
    }
  }

  #forgetOldest(): void {
    const done = [...this.#works].filter(([, { board }]) => board.isDone);
    for (const [id] of done.slice(0, Math.max(0, done.length - REMEMBERED_MAX))) this.#works.delete(id);
  }

  #touch(id: string): Work {
    const work = this.#works.get(id);
    if (work === undefined) throw new CodedError('NOT_FOUND', `Seed "${id}" is not known here`);
    work.watchedAtMs = this.#deps.clock.monotonicMs();
    return work;
  }

  async #nextEnd(board: OrderBoard, waitMs: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    try {
      await Promise.race([board.nextEnd(), this.#deps.clock.sleep(waitMs, { signal: either })]);
    } finally {
      over.abort();
    }
  }
}

function totalsOf(image: SeedOrder['images'][number]) {
  const blobs = blobsOf(image);
  return { bytesTotal: blobs.reduce((sum, { size }) => sum + size, 0), blobsTotal: blobs.length };
}
