/** Asking in the background whether a repository gives a blob to this node, once for each. */
import type { Digest } from '../../core/oci/digest.ts';
import { BoundedMap } from '../../core/runtime/bounded-map.ts';
import type { CredentialSource } from '../../core/registry/credentials.ts';
import type { RegistryClient, Repository } from '../../core/registry/registry-client.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError, isCode } from '../../core/runtime/errors.ts';
import { Semaphore } from '../../core/runtime/semaphore.ts';
import type { AccessMemory } from './access-memory.ts';
import type { UpstreamEvents } from './events.ts';
import { repositoryKey } from './registries.ts';

/** A registry that says nothing for so long has no route, milliseconds. */
const PROBE_MS = 10_000;
/** Probes at once; small requests, and claims wait for them. */
const PROBES_AT_ONCE = 8;
/** Probes under way and waiting; those beyond it are not made. */
const PROBES_MAX = 2_048;
/** The credentials' version is looked at no more often, milliseconds: it is a file's stat. */
const VERSION_EVERY_MS = 500;

export interface ProbesDeps {
  readonly client: Pick<RegistryClient, 'hasBlob'>;
  readonly credentials: CredentialSource;
  readonly memory: AccessMemory;
  readonly clock: Clock;
  readonly events: UpstreamEvents;
}

export class Probes {
  readonly #deps: ProbesDeps;
  readonly #running = new Map<string, Promise<void>>();
  readonly #turns = new Semaphore({ permits: PROBES_AT_ONCE, waitersMax: PROBES_MAX });
  readonly #stop = new AbortController();
  /** When each host was asked about its credential. */
  readonly #askedCredentialAtMs = new BoundedMap<string, number>({ entriesMax: 1_024 });
  #version: { text: string | undefined; atMs: number } = { text: undefined, atMs: Number.NEGATIVE_INFINITY };

  constructor(deps: ProbesDeps) {
    this.#deps = deps;
  }

  /** The probe that runs for a blob of a repository, if one does. */
  running(repository: Repository, digest: Digest): Promise<void> | undefined {
    return this.#running.get(`${repositoryKey(repository)}@${digest}`);
  }

  /** Starts a probe unless one runs. */
  start(repository: Repository, digest: Digest): void {
    const key = `${repositoryKey(repository)}@${digest}`;
    if (this.#running.has(key) || this.#running.size >= PROBES_MAX || this.#stop.signal.aborted) return;
    const probing = this.#probe(repository, digest).finally(() => this.#running.delete(key));
    this.#running.set(key, probing);
  }

  /** Looks in the background whether the credentials have changed, and forgets refusals when they have. */
  refreshCredentials(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs - this.#version.atMs < VERSION_EVERY_MS) return;
    this.#version.atMs = nowMs;
    this.#compareVersion().catch((err: unknown) => this.#deps.events.credentialsFailed({ err }));
  }

  async stop(): Promise<void> {
    this.#stop.abort(new CodedError('CANCELLED', 'Probes stop because this node stops'));
    await Promise.allSettled(this.#running.values());
  }

  /** Never rejects: what it found is in the memory. */
  async #probe(repository: Repository, digest: Digest): Promise<void> {
    const { memory, clock, events } = this.#deps;
    const { generation } = memory;
    const late = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, late.signal]);
    const over = new AbortController();
    const deadline = clock.sleep(PROBE_MS, { signal: over.signal });
    deadline.then(
      () => late.abort(new CodedError('UNAVAILABLE', `Registry said nothing for ${PROBE_MS} ms`)),
      () => undefined,
    );
    try {
      await this.#turns.run(() => this.#ask(repository, digest, signal), { signal });
    } catch (error) {
      if (!isCode(error, 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'NOT_FOUND')) {
        memory.unreachable(repository, digest, clock.monotonicMs());
      }
      memory.failed(repository, digest, { error, nowMs: clock.monotonicMs(), generation });
      events.probeFailed({ repository: repositoryKey(repository), digest, err: error });
    } finally {
      over.abort();
    }
  }

  async #ask(repository: Repository, digest: Digest, signal: AbortSignal): Promise<void> {
    const { client, memory, clock } = this.#deps;
    await this.#askCredential(repository, signal);
    // Another probe may have told meanwhile.
    if (memory.belief(repository, digest, clock.monotonicMs()) !== 'unknown') return;
    const found = await client.hasBlob(repository, digest, { signal, attemptsMax: 1 });
    if (found === undefined)
      throw new CodedError('NOT_FOUND', `Blob "${digest}" is not in "${repositoryKey(repository)}"`);
    memory.answered(repository);
  }

  /** Credentials that cannot be read are none; the request itself tells more. */
  async #askCredential(repository: Repository, signal: AbortSignal): Promise<void> {
    const { credentials, memory, clock, events } = this.#deps;
    const { host } = repository.registry;
    const nowMs = clock.monotonicMs();
    if (nowMs - (this.#askedCredentialAtMs.get(host) ?? Number.NEGATIVE_INFINITY) < VERSION_EVERY_MS) return;
    this.#askedCredentialAtMs.set(host, nowMs);
    try {
      const credential = await credentials.get(host, { signal, repository: repository.name });
      if (credential !== undefined) memory.hasCredential(repository);
    } catch (err) {
      events.credentialsFailed({ err });
    }
  }

  async #compareVersion(): Promise<void> {
    const text = await this.#deps.credentials.version({ signal: this.#stop.signal });
    if (this.#version.text !== undefined && this.#version.text !== text) this.#deps.memory.forgetRefusals();
    this.#version.text = text;
  }
}
