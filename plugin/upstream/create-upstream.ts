/** Upstream, put together: what a name means, what is believed of it, and how its bytes come. */

import type { Descriptor } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import type { Reference } from '../../core/oci/reference.ts';
import type { Source } from '../../core/oci/source.ts';
import { BoundedMap } from '../../core/runtime/bounded-map.ts';
import { anonymous, type CredentialSource } from '../../core/registry/credentials.ts';
import type { RegistryClient, Repository } from '../../core/registry/registry-client.ts';
import type { RegistryLists } from '../../core/registry/registry-lists.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { unlessAborted } from '../../core/runtime/unless-aborted.ts';
import { CodedError, isCode, messageOf } from '../../core/runtime/errors.ts';
import type { Logger } from '../../core/runtime/log.ts';
import type { FlightSink, Route, Want } from '../content/blob-source.ts';
import type { ProvenManifest } from '../content/manifests.ts';
import type { Origin } from '../content/origin.ts';
import { AccessMemory } from './access-memory.ts';
import { BlobStreams } from './blob-streams.ts';
import { createUpstreamEvents, type UpstreamEvents } from './events.ts';
import { LentCredentials } from './lent-credentials.ts';
import { Probes } from './probes.ts';
import { type CandidateRepository, repositoriesOf, repositoryKey } from './registries.ts';
import { createRegistryOrigin } from './registry-origin.ts';
import { TokenBucket } from '../../core/runtime/token-bucket.ts';
import type { Upstream, UpstreamOptions } from './upstream.ts';

/** `upstream.concurrency`'s default. */
const CONCURRENCY = 8;
/** Blobs of which it is remembered who sent them, or sent them wrong. */
const SENDERS_MAX = 4_096;

export interface UpstreamDeps {
  readonly client: RegistryClient & RegistryLists;
  /** The same that the client asks; absent = nobody has any. */
  readonly credentials?: CredentialSource;
  readonly clock: Clock;
  readonly log: Logger;
}

export function createUpstream(deps: UpstreamDeps, options: UpstreamOptions = {}): Upstream {
  return new RegistryUpstream(deps, options);
}

class RegistryUpstream implements Upstream {
  readonly name = 'upstream';
  readonly origin: Origin;
  readonly #deps: UpstreamDeps;
  #options: UpstreamOptions;
  readonly #memory = new AccessMemory();
  readonly #events: UpstreamEvents;
  readonly #probes: Probes;
  readonly #lent: LentCredentials;
  #streams: BlobStreams;
  /** Who was last asked for a blob. */
  readonly #senders = new BoundedMap<string, string>({ entriesMax: SENDERS_MAX });
  /** Who sent wrong bytes of a blob: asked last from then on. */
  readonly #liars = new BoundedMap<string, string>({ entriesMax: SENDERS_MAX });

  constructor(deps: UpstreamDeps, options: UpstreamOptions) {
    const { client, clock } = deps;
    this.#deps = deps;
    this.#options = options;
    this.#events = createUpstreamEvents(deps.log);
    const credentials = deps.credentials ?? anonymous;
    this.#probes = new Probes({ client, credentials, memory: this.#memory, clock, events: this.#events });
    this.#streams = createStreams(deps, options);
    this.#lent = new LentCredentials(clock);
    this.origin = createRegistryOrigin({
      client,
      lent: this.#lent,
      repositoriesOf: (source) => this.#repositoriesOf(source),
      answered: (repository, digest) => this.#memory.answered(repository, digest),
      allFailed,
    });
  }

  configure(options: UpstreamOptions): void {
    this.#options = options;
    this.#streams = createStreams(this.#deps, options);
    this.#memory.forgetRefusals();
  }

  async start(): Promise<void> {
    this.#probes.refreshCredentials();
  }

  stop(): Promise<void> {
    return this.#probes.stop();
  }

  prepare(want: Want): void {
    this.#probes.refreshCredentials();
    for (const repository of this.#repositories(want)) {
      if (this.#belief(repository, want.digest) === 'unknown') this.#probes.start(repository, want.digest);
    }
  }

  route(want: Want): Route {
    const beliefs = new Set(this.#repositories(want).map((repository) => this.#belief(repository, want.digest)));
    if (beliefs.has('yes')) return 'yes';
    return beliefs.has('unknown') ? 'asking' : 'no';
  }

  async settled(want: Want, { signal }: { signal: AbortSignal }): Promise<void> {
    while (this.route(want) === 'asking') {
      signal.throwIfAborted();
      this.prepare(want);
      const probes = this.#repositories(want).map((repository) => this.#probes.running(repository, want.digest));
      const running = probes.filter((probe) => probe !== undefined);
      if (running.length === 0) return;
      await unlessAborted(Promise.race(running), signal);
    }
  }

  async fetch(want: Want, sink: FlightSink, { signal }: { signal: AbortSignal }): Promise<void> {
    const failures: unknown[] = [];
    for (const repository of this.#toAsk(want)) {
      const { generation } = this.#memory;
      try {
        this.#senders.set(want.digest, repositoryKey(repository));
        if (await this.#fillAsLent(repository, sink, signal)) return;
        await this.#streams.fill(repository, sink, signal);
        this.#memory.answered(repository);
        return;
      } catch (error) {
        signal.throwIfAborted();
        this.#noteFailure(repository, want.digest, { error, generation });
        failures.push(error);
      }
    }
    throw allFailed(`Blob "${want.digest}"`, failures);
  }

  /** With rights that a caller lent for this blob. False when there are none, or the registry does not take them any more. */
  async #fillAsLent(repository: Repository, sink: FlightSink, signal: AbortSignal): Promise<boolean> {
    const credential = this.#lent.get(repository, sink.digest);
    if (credential === undefined) return false;
    try {
      await this.#streams.fill({ ...repository, credential }, sink, signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (!isCode(error, 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'NOT_FOUND')) throw error;
      this.#lent.drop(repository, sink.digest);
      return false;
    }
  }

  sentWrongBytes({ digest }: Want): void {
    const repository = this.#senders.get(digest);
    if (repository !== undefined) this.#liars.set(digest, repository);
    this.#events.sentWrongBytes({ repository, digest });
  }

  resolve(reference: Reference, call: { signal: AbortSignal }): Promise<Descriptor> {
    const wanted = reference.digest ?? reference.tag ?? 'latest';
    const asked = { source: { registry: reference.domain, repository: reference.path }, wanted };
    return this.#askEach(asked, (repository) => this.#deps.client.resolve(repository, wanted, call), call);
  }

  manifest(source: Source, digest: Digest, call: { signal: AbortSignal }): Promise<ProvenManifest> {
    const asked = { source, wanted: digest };
    return this.#askEach(asked, (repository) => this.#deps.client.manifest(repository, digest, call), call);
  }

  /** The first answer of the repositories that a source may mean. */
  async #askEach<T>(
    { source, wanted }: { source: Source; wanted: string },
    ask: (repository: Repository) => Promise<T>,
    { signal }: { signal: AbortSignal },
  ): Promise<T> {
    const failures: unknown[] = [];
    for (const repository of this.#repositoriesOf(source)) {
      try {
        const answer = await ask(repository);
        this.#memory.answered(repository);
        return answer;
      } catch (error) {
        signal.throwIfAborted();
        failures.push(error);
      }
    }
    throw allFailed(`Manifest "${wanted}" of "${source.registry}/${source.repository}"`, failures);
  }

  /** Those that may have it, those that sent wrong bytes last. */
  #toAsk(want: Want): CandidateRepository[] {
    const usable = this.#repositories(want).filter((one) => this.#belief(one, want.digest) !== 'no');
    const liar = this.#liars.get(want.digest);
    return usable.sort((a, b) => Number(repositoryKey(a) === liar) - Number(repositoryKey(b) === liar));
  }

  /** Each once; one that is meant for certain is no guess. */
  #repositories(want: Want): CandidateRepository[] {
    const all = want.sources.flatMap((source) => this.#repositoriesOf(source));
    const certain = all.filter(({ isGuess }) => !isGuess);
    return [...new Map([...all, ...certain].map((repository) => [repositoryKey(repository), repository])).values()];
  }

  #repositoriesOf(source: Source): CandidateRepository[] {
    const { endpoints = [], allow = [] } = this.#options;
    return repositoriesOf(source, { endpoints, allow });
  }

  #belief(repository: CandidateRepository, digest: Digest) {
    if (this.#lent.get(repository, digest) !== undefined) return 'yes';
    return this.#memory.belief(repository, digest, this.#deps.clock.monotonicMs());
  }

  #noteFailure(repository: Repository, digest: Digest, failure: { error: unknown; generation: number }): void {
    this.#memory.failed(repository, digest, { ...failure, nowMs: this.#deps.clock.monotonicMs() });
    this.#events.repositoryFailed({ repository: repositoryKey(repository), digest, err: failure.error });
  }
}

function createStreams({ client, clock }: UpstreamDeps, options: UpstreamOptions): BlobStreams {
  const rate = options.bandwidthBytesPerSecond;
  const bandwidth = rate === undefined ? undefined : new TokenBucket(rate);
  return new BlobStreams({ client, clock, bandwidth, concurrency: options.concurrency ?? CONCURRENCY });
}

/** One error for all: what may work later goes before wrong bytes, and these before refusals. */
function allFailed(what: string, failures: readonly unknown[]): unknown {
  const [only] = failures;
  if (failures.length === 0) return new CodedError('NOT_FOUND', `${what} has no registry that may be asked for it`);
  if (failures.length === 1) return only;
  const isRefusal = (error: unknown) => isCode(error, 'NOT_FOUND', 'UNAUTHENTICATED', 'PERMISSION_DENIED');
  const transient = failures.find((error) => !isRefusal(error) && !isCode(error, 'DATA_LOSS'));
  const first = transient ?? failures.find((error) => !isRefusal(error)) ?? only;
  const code = first instanceof CodedError ? first.code : 'UNAVAILABLE';
  const reasons = failures.map(messageOf).join('; ');
  return new CodedError(code, `${what} cannot be had: ${reasons}`, {
    cause: new AggregateError(failures, 'Every registry failed'),
  });
}
