/** The objects of a cluster, kept up to date by watches: for a daemon, which wants to know of changes and to read often. */
import type { Clock } from '../../../../core/runtime/clock.ts';
import { CodedError } from '../../../../core/runtime/errors.ts';
import type { Service } from '../../../../core/runtime/lifecycle.ts';
import type { Logger } from '../../../../core/runtime/log.ts';
import { Semaphore } from '../../../../core/runtime/semaphore.ts';
import type { Source, SourceItem } from '../../source.ts';
import type { Unresolved } from '../../unresolved.ts';
import type { ApiClient } from '../api/api-client.ts';
import { discover } from '../api/discovery.ts';
import { type Listing, listingsOf } from '../api/resource.ts';
import {
  excludedItems,
  type KubernetesOptions,
  readListing,
  unreadCluster,
  unreadListing,
} from '../kubernetes-source.ts';
import { keeperOf } from '../keeper.ts';
import { wantedKinds } from '../listed-kinds.ts';
import { LiveDocuments } from '../live-documents.ts';
import { pullSecretDocuments } from '../secrets/pull-secret-documents.ts';
import { discoveryFailed, watchesChosen, watchFailed } from './events.ts';
import { Reflector } from './reflector.ts';

export interface WatchedSourceDeps {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** A source with a life. Reading waits for the first lists; nothing is watched before `start`. */
export interface WatchedSource extends Source, Service {
  /** At the next change, or at once when there was one since the last reading. Errors: the signal's reason. */
  changed(options: { signal: AbortSignal }): Promise<void>;
}

/** Each holds a connection, and the transport has 64; lists beyond it are asked for at each reading. */
const WATCHES_MAX = 48;
/** Lists at once; watches begin when theirs is there. */
const LISTS_MAX = 2;
/** Kinds come and go with operators, milliseconds. */
const DISCOVERY_MS = 600_000;
const DISCOVERY_RETRY_MS = 15_000;
/** A reading does not wait longer for what is not there yet, milliseconds. */
const FIRST_LIST_MS = 60_000;
const LATE = new CodedError('UNAVAILABLE', `it has not answered in ${FIRST_LIST_MS} ms`);

export function createWatchedSource(deps: WatchedSourceDeps, options: KubernetesOptions): WatchedSource {
  return new ClusterWatch(deps, options);
}

class ClusterWatch implements WatchedSource {
  readonly #deps: WatchedSourceDeps;
  readonly #options: KubernetesOptions;
  readonly #life = new AbortController();
  readonly #lists = new Semaphore({ permits: LISTS_MAX, waitersMax: WATCHES_MAX });
  readonly #watches = new Map<string, { reflector: Reflector; life: AbortController; done: Promise<void> }>();
  #listed: readonly Listing[] = [];
  #unresolved: readonly Unresolved[] = [];
  #failure: unknown;
  #isDiscovered = false;
  #discovered = Promise.withResolvers<void>();
  #change = Promise.withResolvers<void>();
  #changes = 0;
  /** How many of them the last reading has seen. */
  #changesRead = 0;
  #running: Promise<void> | undefined;

  constructor(deps: WatchedSourceDeps, options: KubernetesOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#running ??= this.#run(this.#life.signal);
  }

  async stop(): Promise<void> {
    this.#life.abort();
    await this.#running;
    await Promise.all([...this.#watches.values()].map(({ done }) => done));
    this.#watches.clear();
  }

  async changed({ signal }: { signal: AbortSignal }): Promise<void> {
    if (this.#changes === this.#changesRead) await waitFor(this.#change.promise, signal);
    signal.throwIfAborted();
  }

  async *read({ signal }: { signal: AbortSignal }): AsyncGenerator<SourceItem> {
    const { client } = this.#deps;
    const patience = AbortSignal.any([signal, AbortSignal.timeout(FIRST_LIST_MS)]);
    await waitFor(this.#discovered.promise, patience);
    signal.throwIfAborted();
    const reflectors = [...this.#watches.values()].map(({ reflector }) => reflector);
    await waitFor(Promise.all(reflectors.map(({ attempted }) => attempted)), patience);
    signal.throwIfAborted();
    // What changes from here on may be missed by this reading.
    this.#changesRead = this.#changes;
    yield* excludedItems(client.name, this.#options.kinds);
    const failure = this.#failure ?? (this.#isDiscovered ? undefined : LATE);
    if (failure !== undefined) yield unreadCluster(client.name, failure);
    yield* this.#unresolved.map((unresolved) => ({ kind: 'unresolved' as const, unresolved }));
    const documents = new LiveDocuments(client.name);
    for (const reflector of reflectors) yield* this.#kept(reflector, documents);
    for (const listing of this.#listed) {
      const keep = keeperOf(listing.resource, this.#options);
      yield* readListing(client, listing, { documents, keep, signal });
    }
    yield* pullSecretDocuments(client, documents.names, { signal });
  }

  /** What is there is given even when it is no longer up to date, and that is told. */
  *#kept(reflector: Reflector, documents: LiveDocuments): Generator<SourceItem> {
    const { listing, isListed } = reflector;
    const failure = reflector.failure ?? (isListed ? undefined : LATE);
    for (const object of reflector.objects()) {
      const document = documents.documentOf(object, listing.resource);
      if (document !== undefined) yield { kind: 'document', document };
    }
    if (failure !== undefined) {
      yield { kind: 'unresolved', unresolved: unreadListing(this.#deps.client.name, listing, failure) };
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { client, clock, log, random } = this.#deps;
    while (!signal.aborted) {
      try {
        const found = await discover(client, wantedKinds(this.#options.kinds), { signal });
        this.#unresolved = found.unresolved;
        this.#failure = undefined;
        this.#isDiscovered = true;
        this.#choose(found.resources.flatMap((resource) => listingsOf(resource, this.#options)));
      } catch (error) {
        if (signal.aborted) break;
        this.#failure = error;
        discoveryFailed(log, client.name, error);
      }
      this.#discovered.resolve();
      const waitMs = this.#failure === undefined ? DISCOVERY_MS : DISCOVERY_RETRY_MS;
      await clock.sleep(waitMs * (0.75 + random() / 2), { signal }).catch(() => undefined);
    }
    this.#discovered.resolve();
  }

  #choose(listings: readonly Listing[]): void {
    const { client, log } = this.#deps;
    const wanted = new Map(listings.map((listing) => [keyOf(listing), listing]));
    // A group that does not answer now has not gone.
    if (this.#unresolved.length === 0) {
      for (const [key, watch] of this.#watches) if (!wanted.has(key)) this.#end(key, watch.life);
    }
    const fresh = [...wanted].filter(([key]) => !this.#watches.has(key));
    const watchable = fresh.filter(([, { resource }]) => resource.canWatch);
    const chosen = watchable.slice(0, Math.max(0, WATCHES_MAX - this.#watches.size));
    for (const [key, listing] of chosen) this.#begin(key, listing);
    this.#listed = fresh.flatMap(([key, listing]) => (this.#watches.has(key) ? [] : [listing]));
    watchesChosen(log, client.name, { watched: this.#watches.size, listed: this.#listed.length });
  }

  #begin(key: string, listing: Listing): void {
    const { client, clock, random, log } = this.#deps;
    const deps = {
      ...{ client, clock, random, lists: this.#lists },
      onChange: () => this.#tellChange(),
      onFailure: (failed: Listing, error: unknown) => watchFailed(log, failed, error),
      keep: keeperOf(listing.resource, this.#options),
    };
    const reflector = new Reflector(deps, listing);
    const life = new AbortController();
    const done = reflector.run({ signal: AbortSignal.any([this.#life.signal, life.signal]) });
    this.#watches.set(key, { reflector, life, done });
  }

  #end(key: string, life: AbortController): void {
    life.abort();
    this.#watches.delete(key);
    this.#tellChange();
  }

  #tellChange(): void {
    this.#changes += 1;
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}

function keyOf({ path, query }: Listing): string {
  return `${path} ${query.labelSelector ?? ''} ${query.fieldSelector ?? ''}`;
}

/** Until it is settled or the signal is aborted. */
async function waitFor(what: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const onAbort = () => resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  await Promise.race([what, aborted]);
  signal.removeEventListener('abort', onAbort);
}
