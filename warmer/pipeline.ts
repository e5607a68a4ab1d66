/** The warmer put together: schedule → sources → images → plan → seed → report. The only file here that constructs across rooms. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../core/runtime/clock.ts';
import type { Environment } from '../core/runtime/config-reader.ts';
import { messageOf } from '../core/runtime/errors.ts';
import { startAll } from '../core/runtime/lifecycle.ts';
import type { Logger } from '../core/runtime/log.ts';
import type { WarmerConfig } from './config.ts';
import type { PlanPostRun } from '../proto/shoal/plan/v1/plan-post.ts';
import type { ResolvedImage } from './images/images.ts';
import type { Plan } from './plan/plan.ts';
import { PullSecrets } from './images/pull-secrets.ts';
import { createImageResolver } from './images/resolve-images.ts';
import { createClusterLease } from './lease/cluster-lease.ts';
import { createMeshLease } from './lease/mesh-lease.ts';
import { type WorkLease, withLease } from './lease/work-lease.ts';
import { type OpenedSources, openSources } from './open-sources.ts';
import { type PrepareDeps, type PrepareOptions, type Prepared, prepare } from './prepare.ts';
import { createRegistries } from './registries.ts';
import { planPost, runPost } from './report/plan-post.ts';
import type { RunResult } from './report/run-result.ts';
import { type RateMemory, remember } from './schedule/rate-memory.ts';
import { readSecretFile } from './secret-file.ts';
import { NodeConnection } from './seed/node-connection.ts';
import { createNodeFleet } from './seed/node-fleet.ts';
import { Outcomes } from './seed/outcomes.ts';
import { runSeeds } from './seed/run-seeds.ts';
import { seedTasks } from './seed/seed-tasks.ts';
import { createListSource } from './sources/image-list.ts';
import { createManifestShelf } from './state/manifest-shelf.ts';
import { readRates, writeRates } from './state/state-file.ts';
import type { PlanCall, RunCall, Warmer } from './warmer.ts';

export interface WarmerDeps {
  readonly env: Environment;
  readonly clock: Clock;
  readonly log: Logger;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Where this runs, for those who ask who holds the lease. */
  readonly hostName: string;
  /** How messages name the configuration. */
  readonly configFile: string;
  /** Watch clusters rather than list them at each reading: for a daemon. */
  readonly isWatching?: boolean;
  /** Looked at besides those of the sources, as `--image` names them. */
  readonly extraImages?: readonly string[];
  /** Numbers from 0 to just below 1. */
  random(): number;
}

/** @throws CodedError INVALID_ARGUMENT for files of the configuration that cannot be read */
export async function createWarmer(config: WarmerConfig, deps: WarmerDeps): Promise<Warmer> {
  const { log } = deps;
  const token = config.tokenFile === undefined ? undefined : await readSecretFile('token_file', config.tokenFile);
  const connection = new NodeConnection(config.node, token);
  const registries = await createRegistries(config, deps);
  const extra = (deps.extraImages ?? []).map((image) => ({ image, file: '--image', line: 1 }));
  const shelf = config.stateFile === undefined ? undefined : createManifestShelf(`${config.stateFile}.manifests`);
  let secrets = new PullSecrets();
  const images = createImageResolver(
    { ...registries, shelf, secrets: { credentialsFor: (...args) => secrets.credentialsFor(...args) } },
    { endpoints: registries.endpoints, allow: config.upstream.allow, concurrency: config.upstream.concurrency },
  );
  const opened = await openSources(config, { ...deps, isWatching: deps.isWatching ?? false });
  return new FleetWarmer({
    ...{ config, log, registries, opened, connection, hostName: deps.hostName },
    isTelling: deps.isWatching ?? false,
    clock: deps.clock,
    random: deps.random,
    lease: chooseLease(config, { opened, connection, clock: deps.clock, holder: `${deps.hostName}_${randomUUID()}` }),
    prepare: {
      sources: [...opened.sources, ...(extra.length === 0 ? [] : [createListSource(extra)])],
      find: { rules: config.rules, anyImageKey: config.search.anyImageKey },
      fleet: createNodeFleet(connection),
      images,
      useSecrets: (read) => {
        secrets = read;
      },
    },
  });
}

function chooseLease(
  config: WarmerConfig,
  deps: { opened: OpenedSources; connection: NodeConnection; clock: Clock; holder: string },
): WorkLease | undefined {
  const { cluster } = deps.opened;
  if (config.lease === 'off') return undefined;
  if (config.lease !== 'mesh' && cluster !== undefined) return createClusterLease(cluster, deps.holder);
  return createMeshLease(deps, deps.holder);
}

/** A page can do without; milliseconds. */
const TELL_MS = 5_000;
/** Timers take no longer ones. */
const NEVER_MS = 2 ** 31 - 1;

interface Parts {
  readonly config: WarmerConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly registries: { readonly client: { close(): void } };
  readonly opened: OpenedSources;
  readonly connection: NodeConnection;
  readonly hostName: string;
  /** Whether what is planned is told to the node, for its page; what a run came to is told always. */
  readonly isTelling: boolean;
  readonly lease: WorkLease | undefined;
  readonly prepare: PrepareDeps;
  random(): number;
}

class FleetWarmer implements Warmer {
  readonly #parts: Parts;
  /** Of the last resolution. */
  #images: ReadonlyMap<string, ResolvedImage> = new Map();
  #lastRun: PlanPostRun | null = null;
  #stop: () => Promise<void> = async () => undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async plan(call: PlanCall): Promise<Prepared> {
    const prepared = await this.#prepare({ ...call, isFleetOptional: true });
    if (this.#parts.isTelling && prepared.fleetProblem === undefined) await this.#tell(prepared.plan, undefined, call);
    return prepared;
  }

  async members({ signal }: { signal: AbortSignal }): Promise<readonly string[]> {
    const members = await this.#parts.prepare.fleet.members({ signal });
    return members.filter(({ mode, isReached }) => isReached && mode !== 'observer').map(({ name }) => name);
  }

  async run(call: RunCall): Promise<RunResult> {
    const { clock, lease, log } = this.#parts;
    const onTrouble = (error: unknown) =>
      log.warn({ reason: messageOf(error) }, 'Nobody keeps the lease, the work is done without it');
    const startedMs = clock.monotonicMs();
    const work = ({ signal }: { signal: AbortSignal }) => this.#work({ ...call, signal }, startedMs);
    const leased = await withLease({ lease, onTrouble }, work, call);
    if (leased.kind === 'done') {
      await this.#tell(leased.value.plan, leased.value, call);
      return leased.value;
    }
    const reason = `Another warmer ("${leased.holder}") is at work`;
    return this.#notTried(call, { startedMs, reason, prepared: undefined });
  }

  async start(options: { signal: AbortSignal }): Promise<void> {
    this.#stop = await startAll(this.#parts.opened.parts, options);
  }

  async stop(): Promise<void> {
    await this.#stop();
    this.#parts.opened.close();
    this.#parts.registries.client.close();
  }

  async changed({ signal }: { signal: AbortSignal }): Promise<void> {
    const { watched } = this.#parts.opened;
    // Without a cluster nothing tells of changes.
    if (watched.length === 0) return this.#parts.clock.sleep(NEVER_MS, { signal });
    await Promise.race(watched.map((source) => source.changed({ signal })));
  }

  /** For people who look at the node's page; nothing rests on it. */
  async #tell(plan: Plan, result: RunResult | undefined, { signal }: { signal: AbortSignal }): Promise<void> {
    const { connection, hostName, clock, log } = this.#parts;
    if (result !== undefined) this.#lastRun = runPost(result, clock.now());
    const post = planPost({ warmer: hostName, plan, result, run: this.#lastRun });
    try {
      const bounded = AbortSignal.any([signal, AbortSignal.timeout(TELL_MS)]);
      await Array.fromAsync(connection.post('/api/v1/plan', post, { signal: bounded }));
    } catch (error) {
      log.debug({ reason: messageOf(error) }, 'The plan is not shown on the page');
    }
  }

  async #prepare(call: PlanCall & { isFleetOptional: boolean }): Promise<Prepared> {
    const options: PrepareOptions = { ...call, remembered: this.#images, rates: await this.#rates() };
    const prepared = await prepare(this.#parts.config, this.#parts.prepare, options);
    if (call.lookup === 'resolve') this.#images = prepared.images;
    return prepared;
  }

  async #work(call: RunCall, startedMs: number): Promise<RunResult> {
    const { config, clock } = this.#parts;
    const { target } = config;
    call.view.say('reading sources, asking registries and nodes');
    const prepared = await this.#prepare({ ...call, isFleetOptional: false });
    if (target.parallelNodes === 0) {
      return this.#notTried(call, { startedMs, reason: 'Paused: target.parallel_nodes is 0', prepared });
    }
    const { plan, images, failed, nodes } = prepared;
    const silent = new Set(prepared.silent.keys());
    const tasks = seedTasks({ plan, images, nodes, silent });
    const seedingMs = clock.monotonicMs();
    const outcomes = await runSeeds(
      tasks,
      { ...this.#parts.prepare, clock, random: this.#parts.random, watcher: call.view },
      {
        ...target,
        planNowMs: call.nowMs,
        takesNewcomers: target.nodes === 'all',
        silent,
        signal: call.signal,
      },
    );
    await this.#remember(outcomes.bytesFetched, clock.monotonicMs() - seedingMs);
    const elapsedMs = clock.monotonicMs() - startedMs;
    return { atMs: call.nowMs, elapsedMs, plan, images, failed, outcomes, notTried: undefined, isElsewhere: false };
  }

  /** Nothing moves; what would is told all the same. */
  async #notTried(
    call: RunCall,
    { startedMs, reason, prepared }: { startedMs: number; reason: string; prepared: Prepared | undefined },
  ): Promise<RunResult> {
    const { plan, images, failed } =
      prepared ?? (await this.#prepare({ ...call, lookup: 'offline', isFleetOptional: true }));
    const elapsedMs = this.#parts.clock.monotonicMs() - startedMs;
    return {
      atMs: call.nowMs,
      elapsedMs,
      plan,
      images,
      failed,
      outcomes: new Outcomes(),
      notTried: reason,
      isElsewhere: prepared === undefined,
    };
  }

  async #rates(): Promise<RateMemory> {
    const { config, log } = this.#parts;
    if (config.stateFile === undefined) return [];
    return readRates(config.stateFile, (error) =>
      log.warn({ reason: messageOf(error) }, 'Earlier rates are not known'),
    );
  }

  async #remember(bytes: number, durationMs: number): Promise<void> {
    const { config, clock, log } = this.#parts;
    const before = await this.#rates();
    const after = remember(before, { atMs: clock.now(), bytes, durationMs });
    if (config.stateFile === undefined || after === before) return;
    await writeRates(config.stateFile, after).catch((error: unknown) =>
      log.warn({ reason: messageOf(error) }, 'The rate of this run is not kept'),
    );
  }
}
