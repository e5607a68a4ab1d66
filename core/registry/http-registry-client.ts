/** The registry client over HTTP: every call of the seam, each in a file of its own. */
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { CodedError } from '../runtime/errors.ts';
import { findBlob, readBlob } from './blob-requests.ts';
import { anonymous, type CredentialSource } from './credentials.ts';
import { HttpTransport, type TransportTimeouts } from './http-transport.ts';
import { fetchReferrers, fetchTags } from './list-requests.ts';
import { checkRepository, fetchManifest, resolveManifest } from './manifest-requests.ts';
import type { BlobRange, CallOptions, PullToken, RegistryClient, Repository } from './registry-client.ts';
import type { ReferrerPage, RegistryLists, TagPage } from './registry-lists.ts';
import { RegistryRequests, type RequestsOptions } from './registry-requests.ts';

export interface RegistryClientDeps {
  credentials?: CredentialSource;
  clock?: Clock;
  /** Numbers from 0 to just below 1. */
  random?(): number;
}

export interface RegistryClientOptions extends RequestsOptions {
  timeouts?: Partial<TransportTimeouts>;
  /** For a call that answers with something small, its attempts and waits included, milliseconds. */
  callMs?: number;
}

const CALL_MS = 120_000;

/** A client for any number of registries; `close` ends its connections. */
export function createRegistryClient(
  deps: RegistryClientDeps = {},
  options: RegistryClientOptions = {},
): HttpRegistryClient {
  return new HttpRegistryClient(deps, options);
}

export class HttpRegistryClient implements RegistryClient, RegistryLists {
  readonly #transport: HttpTransport;
  readonly #requests: RegistryRequests;
  readonly #callMs: number;

  constructor(deps: RegistryClientDeps, options: RegistryClientOptions) {
    this.#transport = new HttpTransport(options.timeouts);
    this.#callMs = options.callMs ?? CALL_MS;
    this.#requests = new RegistryRequests(
      {
        transport: this.#transport,
        credentials: deps.credentials ?? anonymous,
        clock: deps.clock ?? systemClock,
        random: deps.random ?? Math.random,
      },
      options,
    );
  }

  resolve(repository: Repository, reference: string, options: CallOptions): Promise<Descriptor> {
    return this.#within(options, (bounded) => resolveManifest(this.#requests, { repository, reference }, bounded));
  }

  manifest(
    repository: Repository,
    reference: string,
    options: CallOptions & { descriptor?: Descriptor },
  ): Promise<{ descriptor: Descriptor; bytes: Buffer }> {
    return this.#within(options, (bounded) => fetchManifest(this.#requests, { repository, reference }, bounded));
  }

  hasBlob(repository: Repository, digest: Digest, options: CallOptions): Promise<{ size: number } | undefined> {
    return this.#within(options, (bounded) => findBlob(this.#requests, { repository, digest }, bounded));
  }

  blob(
    repository: Repository,
    blob: { digest: Digest; size: number },
    options: CallOptions & BlobRange,
  ): AsyncIterable<Buffer> {
    return coded(readBlob(this.#requests, { repository, ...blob }, options), options.signal);
  }

  async pullToken(repository: Repository, options: CallOptions): Promise<PullToken | undefined> {
    checkRepository(repository);
    return this.#within(options, (bounded) => this.#requests.pullToken(repository, bounded));
  }

  tags(repository: Repository, options: CallOptions & { query?: string }): Promise<TagPage> {
    return this.#within(options, (bounded) => fetchTags(this.#requests, repository, bounded));
  }

  referrers(
    repository: Repository,
    subject: Digest,
    options: CallOptions & { query?: string },
  ): Promise<ReferrerPage | undefined> {
    return this.#within(options, (bounded) => fetchReferrers(this.#requests, { repository, subject }, bounded));
  }

  close(): void {
    this.#transport.close();
  }

  /** A body may take as long as it moves; everything else has an end. */
  async #within<O extends CallOptions, T>(options: O, call: (options: O) => Promise<T>): Promise<T> {
    const deadline = new AbortController();
    const late = () => deadline.abort(new CodedError('UNAVAILABLE', `Registry took longer than ${this.#callMs} ms`));
    const timer = setTimeout(late, this.#callMs);
    try {
      return await call({ ...options, signal: AbortSignal.any([options.signal, deadline.signal]) });
    } catch (error) {
      throw asCoded(error, options.signal);
    } finally {
      clearTimeout(timer);
    }
  }
}

async function* coded(body: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    yield* body;
  } catch (error) {
    throw asCoded(error, signal);
  }
}

/** A caller's abort may come with any reason. */
function asCoded(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof CodedError || !signal.aborted) return error;
  return new CodedError('CANCELLED', 'Request to a registry was cancelled', { cause: error });
}
