/** Seeds a plan: its tasks as the queue lets them start, what failed tried again, and an outcome for each image on each node. */
import type { PullToken } from '../../core/registry/registry-client.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError, codeOf, ERROR_CODES, messageOf } from '../../core/runtime/errors.ts';
import { backoffMs } from '../../core/runtime/retry.ts';
import { Semaphore } from '../../core/runtime/semaphore.ts';
import type { SeedProgress, SeedResult } from '../../proto/shoal/seed/v1/seed-line.ts';
import type { SeedLevel, SeedRequest } from '../../proto/shoal/seed/v1/seed-request.ts';
import type { ImageResolver, ResolvedImage } from '../images/images.ts';
import { Answered } from './answered.ts';
import type { Fleet } from './fleet.ts';
import { Outcomes } from './outcomes.ts';
import { pinFor } from './pin.ts';
import { retryTasks } from './retry-tasks.ts';
import { seedRequests } from './seed-requests.ts';
import type { SeedTask } from './seed-tasks.ts';
import { TaskQueue } from './task-queue.ts';

/** Attempts of a wave that reached nobody, before the next begins: it would have nobody to get the bytes from. */
const WAVE_ATTEMPTS_MAX = 3;
/** Times that everything is gone through for what failed and may succeed. */
const ROUNDS_MAX = 2;
const BACKOFF = { baseMs: 2_000, capMs: 30_000 };
/** Token requests at once, over all registries. */
const TOKENS_AT_ONCE = 8;
const TOKENS_WAITING_MAX = 100_000;

/** Told as things happen; must not throw. */
export interface SeedWatcher {
  started(task: SeedTask): void;
  progress(task: SeedTask, progress: SeedProgress): void;
  result(task: SeedTask, result: SeedResult): void;
  ended(task: SeedTask): void;
}

export interface SeedDeps {
  readonly fleet: Fleet;
  readonly images: Pick<ImageResolver, 'pullToken' | 'manifestBytes'>;
  readonly clock: Clock;
  /** Numbers from 0 to just below 1. */
  random(): number;
  readonly watcher: SeedWatcher;
}

export interface SeedOptions {
  readonly level: SeedLevel;
  /** One at least. */
  readonly parallelNodes: number;
  readonly parallelBlobs: number;
  readonly maxBytesPerNode: number | undefined;
  readonly pinMs: number;
  readonly deadlineMs: number;
  /** The plan's clock. */
  readonly planNowMs: number;
  readonly takesNewcomers: boolean;
  /** Nodes that did not answer when they were asked: tried once. */
  readonly silent: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/** Resolves whatever happens on nodes; rejects only with the signal's reason. */
export async function runSeeds(tasks: readonly SeedTask[], deps: SeedDeps, options: SeedOptions): Promise<Outcomes> {
  const run = new SeedRun(deps, options);
  await run.all(tasks);
  for (let round = 1; round <= ROUNDS_MAX; round += 1) {
    const again = retryTasks(tasks, run.outcomes, options.silent);
    if (again.length === 0 || run.leftMs() <= 0) break;
    await deps.clock.sleep(backoffMs(round, BACKOFF, deps.random), { signal: options.signal });
    await run.all(again);
  }
  return run.outcomes;
}

class SeedRun {
  readonly outcomes = new Outcomes();
  readonly #deps: SeedDeps;
  readonly #options: SeedOptions;
  readonly #endsAtMs: number;
  readonly #tokens = new Semaphore({ permits: TOKENS_AT_ONCE, waitersMax: TOKENS_WAITING_MAX });

  constructor(deps: SeedDeps, options: SeedOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#endsAtMs = deps.clock.monotonicMs() + options.deadlineMs;
  }

  leftMs(): number {
    return this.#endsAtMs - this.#deps.clock.monotonicMs();
  }

  async all(tasks: readonly SeedTask[]): Promise<void> {
    const queue = new TaskQueue(tasks, { nodesAtOnce: this.#options.parallelNodes });
    const running = new Set<Promise<void>>();
    while (!queue.isDone) {
      for (const task of queue.start()) {
        const ending: Promise<void> = this.#runTask(task, queue.weightOf(task)).finally(() => {
          queue.end(task);
          running.delete(ending);
        });
        running.add(ending);
      }
      await Promise.race(running);
      this.#options.signal.throwIfAborted();
    }
  }

  async #runTask(task: SeedTask, nodesAtOnce: number): Promise<void> {
    const { clock, random, watcher } = this.#deps;
    watcher.started(task);
    for (let attempt = 1; ; attempt += 1) {
      await this.#attempt(task, nodesAtOnce);
      if (task.kind === 'keep' || attempt >= WAVE_ATTEMPTS_MAX || this.leftMs() <= 0 || !this.#reachedNobody(task))
        break;
      await clock.sleep(backoffMs(attempt, BACKOFF, random), { signal: this.#options.signal });
    }
    watcher.ended(task);
  }

  /** Also false when trying again is of no use. */
  #reachedNobody({ nodes, images }: SeedTask): boolean {
    const { silent } = this.#options;
    const told = (names: readonly { name: string }[]) =>
      names.flatMap(({ name }) => images.map(({ reference }) => this.outcomes.get(name, reference)));
    if (told(nodes).some((one) => one?.state === 'present' || one?.state === 'fetched')) return false;
    return told(nodes.filter(({ name }) => !silent.has(name))).some((one) => one?.isRetriable === true);
  }

  async #attempt(task: SeedTask, nodesAtOnce: number): Promise<void> {
    const leftMs = this.leftMs();
    if (leftMs < 1000) return this.#failLate(task);
    const { fleet, images, clock } = this.#deps;
    const { pinMs, planNowMs, level, parallelBlobs, maxBytesPerNode, takesNewcomers } = this.#options;
    const tokens = fleet.takesTokens ? await this.#tokensFor(task.images) : new Map<string, PullToken>();
    const requests = seedRequests(task.images, task.nodes, {
      pin: pinFor(task.dueMs, { planNowMs, nowMs: clock.now(), pinMs }),
      level,
      limits: {
        parallel_blobs: parallelBlobs,
        deadline_seconds: Math.floor(leftMs / 1000),
        ...(maxBytesPerNode !== undefined && { max_bytes_per_node: maxBytesPerNode }),
      },
      nodesAtOnce,
      takesNewcomers,
      manifestBytes: (digest) => images.manifestBytes(digest),
      tokenFor: ({ reference }) => tokens.get(reference),
    });
    const lines = requests.map(async (chain) => {
      for (const request of chain) await this.#send(task, request);
    });
    await Promise.all(lines);
  }

  async #send(task: SeedTask, request: SeedRequest): Promise<void> {
    const { fleet, watcher } = this.#deps;
    const { signal } = this.#options;
    const answered = new Answered();
    let failure = { code: 'UNAVAILABLE', reason: 'The node told no result', isRetriable: true };
    try {
      for await (const line of fleet.seed(request, { signal })) {
        if (line.kind === 'progress') watcher.progress(task, line);
        if (line.kind === 'failed') throw new CodedError(codeNamed(line.code), line.message);
        if (line.kind !== 'result') continue;
        answered.add(line.node, line.ref);
        this.outcomes.take(line);
        watcher.result(task, line);
      }
    } catch (error) {
      signal.throwIfAborted();
      failure = { code: codeOf(error), reason: messageOf(error), isRetriable: isRetriable(error) };
    }
    for (const [node, ref] of answered.missing(request)) this.outcomes.fail(node, ref, failure);
  }

  #failLate({ nodes, images }: SeedTask): void {
    const reason = 'The deadline of the run (target.deadline) was over before its turn';
    for (const { name } of nodes) {
      for (const { reference } of images) {
        this.outcomes.fail(name, reference, { code: 'UNAVAILABLE', reason, isRetriable: true });
      }
    }
  }

  /** A node that gets none tries with its own credentials, and says what came of it. */
  async #tokensFor(images: readonly ResolvedImage[]): Promise<Map<string, PullToken>> {
    const { signal } = this.#options;
    const tokens = new Map<string, PullToken>();
    const asked = images.map((image) =>
      this.#tokens.run(async () => {
        const token = await this.#deps.images.pullToken(image, { signal }).catch(() => undefined);
        if (token !== undefined) tokens.set(image.reference, token);
      }),
    );
    await Promise.all(asked);
    signal.throwIfAborted();
    return tokens;
  }
}

function codeNamed(code: string) {
  return ERROR_CODES.find((known) => known === code) ?? 'INTERNAL';
}

/** Of a request as a whole: refused for what it says, it will be refused again. */
function isRetriable(error: unknown): boolean {
  return ['UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'CANCELLED', 'INTERNAL', 'DATA_LOSS'].includes(codeOf(error));
}
