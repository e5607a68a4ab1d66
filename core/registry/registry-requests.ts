/**
 * Requests to one registry's API: with the credential that it wants, after its redirects, again after failures that
 * pass, slower when it asks for that. It knows no manifests and no blobs.
 */
import type { Clock } from '../runtime/clock.ts';
import { CodedError, isCode, messageOf } from '../runtime/errors.ts';
import { type Backoff, backoffMs, retry } from '../runtime/retry.ts';
import { Authorizer } from './authorizer.ts';
import { CredentialCache } from './credential-cache.ts';
import type { CredentialSource } from './credentials.ts';
import type { HttpAnswer, HttpRequest, HttpTransport } from './http-transport.ts';
import { parseRateLimit } from './rate-limit.ts';
import { type HopRules, openFollowing } from './redirects.ts';
import {
  type CallOptions,
  type PullToken,
  RegistryError,
  type RegistryObserver,
  type Repository,
  type RequestKind,
} from './registry-client.ts';
import { refusalOf } from './registry-refusal.ts';
import { parseTokenAnswer, TOKEN_ANSWER_BYTES_MAX, type TokenWish, tokenRequest } from './token-server.ts';

export interface RequestsDeps {
  transport: HttpTransport;
  credentials: CredentialSource;
  clock: Clock;
  /** Numbers from 0 to just below 1. */
  random(): number;
}

export interface RequestsOptions {
  observer?: RegistryObserver;
  /** Throws when a URL may not be asked; called for every request, token servers and redirects included. */
  mayReach?(url: URL): void;
  /** Origins (`http://10.0.0.1:9000`) that may be loopback, link-local or metadata addresses, as configured endpoints may. */
  configuredOrigins?: ReadonlySet<string>;
  attemptsMax?: number;
  backoff?: Backoff;
  /** The longest wait that a registry may ask for; beyond it the call fails at once, milliseconds. */
  retryAfterMaxMs?: number;
}

const ATTEMPTS_MAX = 4;
const BACKOFF: Backoff = { baseMs: 250, capMs: 8_000 };
const RETRY_AFTER_MAX_MS = 30_000;
/** The first without credentials, one with a token that was kept, one with a new token. */
const AUTHORIZATIONS_MAX = 3;

/** One request below `/v2/<name>/`. */
export interface RegistryRequest {
  kind: RequestKind;
  method: 'GET' | 'HEAD';
  /** `manifests/latest`. */
  path: string;
  headers?: Readonly<Record<string, string>>;
  /** What is tried, for messages. */
  action: string;
}

export class RegistryRequests {
  readonly authorizer: Authorizer;
  readonly #deps: RequestsDeps;
  readonly #options: RequestsOptions;

  constructor(deps: RequestsDeps, options: RequestsOptions) {
    this.#deps = deps;
    this.#options = options;
    this.authorizer = new Authorizer({
      credentials: new CredentialCache(deps.credentials, deps.clock),
      clock: deps.clock,
      fetchToken: (repository, wish, call) => this.#fetchToken(repository, wish, call),
    });
  }

  get clock(): Clock {
    return this.#deps.clock;
  }

  /**
   * Runs `use` with a successful answer (2xx), and both again when what went wrong may pass.
   * Errors: RegistryError; those of `use`; those of `openFollowing`.
   */
  perform<T>(
    repository: Repository,
    request: RegistryRequest,
    options: CallOptions & { use: (answer: HttpAnswer) => Promise<T> },
  ): Promise<T> {
    const attempt = async () => options.use(await this.open(repository, request, options));
    return this.#retrying(attempt, options);
  }

  /** One attempt: an answer of 2xx whose body is still to be read. Errors as `perform`. */
  async open(repository: Repository, request: RegistryRequest, options: CallOptions): Promise<HttpAnswer> {
    let authorization = await this.authorizer.header(repository, options);
    for (let round = 1; ; round += 1) {
      const { answer, url } = await this.#exchange(repository, request, { ...options, authorization });
      if (answer.status >= 200 && answer.status < 300) return answer;
      const isOwn = url.origin === new URL(repository.registry.url).origin;
      const refusal = await refusalOf(answer, {
        ...request,
        nowMs: this.#deps.clock.now(),
        ...(authorization === undefined ? {} : { authorization }),
        ...(isOwn ? {} : { otherHost: url.host }),
      });
      if (answer.status !== 401 || !isOwn || round === AUTHORIZATIONS_MAX) throw refusal;
      const asked = { challenge: answer.headers['www-authenticate'], refused: authorization };
      authorization = await this.authorizer.renew(repository, asked, options);
      if (authorization === undefined) throw refusal;
    }
  }

  /** How long to wait before attempt `failures + 1`; undefined when `error` will not pass by waiting a little. */
  waitMs(error: unknown, failures: number): number | undefined {
    if (!isCode(error, 'UNAVAILABLE', 'RESOURCE_EXHAUSTED')) return undefined;
    const { backoff = BACKOFF, retryAfterMaxMs = RETRY_AFTER_MAX_MS } = this.#options;
    const jitterMs = backoffMs(failures, backoff, this.#deps.random);
    if (!(error instanceof RegistryError) || error.retryAfterMs === undefined) return jitterMs;
    return error.retryAfterMs > retryAfterMaxMs ? undefined : error.retryAfterMs + jitterMs;
  }

  /** A token that pulls from this repository; asks the registry first what it wants when that is not known yet. */
  async pullToken(repository: Repository, options: CallOptions): Promise<PullToken | undefined> {
    const known = await this.authorizer.pullToken(repository, options);
    if (known !== undefined) return known;
    const action = `Tags of "${repository.registry.host}/${repository.name}"`;
    const request: RegistryRequest = { kind: 'token', method: 'GET', path: 'tags/list?n=1', action };
    const use = (answer: HttpAnswer) => answer.discard();
    await this.perform(repository, request, { ...options, use }).catch((error: unknown) => {
      // Who may pull need not be allowed to list.
      if (!isCode(error, 'PERMISSION_DENIED', 'NOT_FOUND', 'FAILED_PRECONDITION')) throw error;
    });
    return this.authorizer.pullToken(repository, options);
  }

  attemptsMax(options: CallOptions): number {
    return options.attemptsMax ?? this.#options.attemptsMax ?? ATTEMPTS_MAX;
  }

  /** Tells the observer of body bytes. */
  received(repository: Repository, kind: RequestKind, bytes: number): void {
    this.#options.observer?.onBytes?.({ registry: repository.registry.host, kind, bytes });
  }

  #retrying<T>(attempt: () => Promise<T>, options: CallOptions): Promise<T> {
    return retry(attempt, {
      attemptsMax: this.attemptsMax(options),
      clock: this.#deps.clock,
      signal: options.signal,
      waitMs: (error, failures) => this.waitMs(error, failures),
    });
  }

  async #exchange(
    repository: Repository,
    request: RegistryRequest,
    options: CallOptions & { authorization: string | undefined },
  ): Promise<{ answer: HttpAnswer; url: URL }> {
    const { registry, name } = repository;
    const { authorization, signal } = options;
    const url = new URL(`${registry.url.replace(/\/+$/, '')}/v2/${name}/${request.path}`);
    const headers = { ...request.headers, ...(authorization === undefined ? {} : { authorization }) };
    const sent = this.#with(repository, { method: request.method, url, headers });
    const rules = this.#rules(repository, request);
    const found = await openFollowing(this.#deps.transport, sent, { signal, rules }).catch((error: unknown) => {
      throw unreached(error, `Registry "${registry.host}" at "${registry.url}"`);
    });
    const limit = parseRateLimit(found.answer.headers);
    if (limit !== undefined) this.#options.observer?.onRateLimit?.({ registry: registry.host, ...limit });
    return found;
  }

  #with({ registry }: Repository, request: HttpRequest): HttpRequest {
    return registry.ca === undefined ? request : { ...request, ca: registry.ca };
  }

  #rules({ registry }: Repository, request: { kind: RequestKind; method: string }): HopRules {
    const { configuredOrigins, mayReach, observer } = this.#options;
    const own = registry.isConfigured ? new URL(registry.url).origin : undefined;
    const { kind, method } = request;
    return {
      mayReach: (url) => mayReach?.(url),
      isConfigured: (url) => url.origin === own || configuredOrigins?.has(url.origin) === true,
      onHop: (_, status) => observer?.onRequest?.({ registry: registry.host, kind, method, status }),
    };
  }

  #fetchToken(repository: Repository, wish: TokenWish, options: { signal: AbortSignal }): Promise<PullToken> {
    const { transport, clock } = this.#deps;
    const request = this.#with(repository, tokenRequest(wish));
    const rules = this.#rules(repository, { kind: 'token', method: request.method });
    const action = `Token for "${repository.registry.host}/${repository.name}"`;
    const attempt = async () => {
      const askedAtMs = clock.now();
      const { answer } = await openFollowing(transport, request, { ...options, rules }).catch((error: unknown) => {
        throw unreached(error, `Token server "${request.url.origin}" of registry "${repository.registry.host}"`);
      });
      if (answer.status !== 200) {
        const { authorization } = request.headers;
        const refused = {
          action,
          method: request.method,
          nowMs: clock.now(),
          ...(authorization === undefined ? {} : { authorization }),
        };
        throw asCredentialRefusal(await refusalOf(answer, refused));
      }
      return parseTokenAnswer(await answer.read(TOKEN_ANSWER_BYTES_MAX), askedAtMs);
    };
    return this.#retrying(attempt, options);
  }
}

/** Names whoever gave no answer; other failures name what they are about. */
function unreached(error: unknown, who: string): unknown {
  if (!isCode(error, 'UNAVAILABLE')) return error;
  return new CodedError('UNAVAILABLE', `${who} cannot be reached: ${messageOf(error)}`, { cause: error });
}

/** A token server says 400 or 401 to credentials that it does not take (RFC 6749, section 5.2). */
function asCredentialRefusal(error: RegistryError): CodedError {
  if (error.status !== 400) return error;
  return new RegistryError('UNAUTHENTICATED', error.message, { status: error.status, cause: error });
}
