/**
 * Requests to an API server: credentials, a 401 answered once with fresh ones, passing refusals waited for. It knows HTTP and
 * JSON; it does not know what an object is.
 */
import type { HttpAnswer, HttpTransport } from '../../../../core/registry/http-transport.ts';
import type { Clock } from '../../../../core/runtime/clock.ts';
import { CodedError, isCode, messageOf } from '../../../../core/runtime/errors.ts';
import { type Backoff, backoffMs, retry } from '../../../../core/runtime/retry.ts';
import type { ServerAccess } from '../access/server-access.ts';
import { ApiError, refusedAnswer } from './api-error.ts';

export interface ApiCall {
  /** Default: GET. */
  readonly method?: 'GET' | 'POST' | 'PUT';
  /** Below the server's own path: `/apis/apps/v1/deployments`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Becomes JSON. */
  readonly body?: unknown;
  /** Default: ANSWER_BYTES_MAX. */
  readonly bytesMax?: number;
  /** For all attempts together, milliseconds. Default: DEADLINE_MS. */
  readonly deadlineMs?: number;
  /** A stream may be silent for so long, milliseconds. Default: as every answer. */
  readonly idleMs?: number;
}

export interface ApiClientDeps {
  readonly transport: Pick<HttpTransport, 'open'>;
  /** How reports name the cluster. */
  readonly name: string;
  /** Found at the first request. */
  access(options: { signal: AbortSignal }): Promise<ServerAccess>;
  readonly clock: Clock;
  /** From 0 to just below 1. */
  readonly random: () => number;
}

/** One object, or a list of resources. Lists of objects say their own bound. */
export const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
/** For what a server says of a refusal. */
const REFUSAL_BYTES_MAX = 64 * 1024;
const DEADLINE_MS = 120_000;
/** Reads are tried so often; writes once, because who writes must look again first. */
const ATTEMPTS_MAX = 5;
/** As client-go's reflector begins and ends. */
const BACKOFF: Backoff = { baseMs: 800, capMs: 30_000 };

export class ApiClient {
  readonly #deps: ApiClientDeps;

  constructor(deps: ApiClientDeps) {
    this.#deps = deps;
  }

  get name(): string {
    return this.#deps.name;
  }

  /**
   * The answer of a request, read whole.
   * @throws ApiError; CodedError UNAVAILABLE, UNAUTHENTICATED, RESOURCE_EXHAUSTED past the bound, DATA_LOSS when it is no JSON;
   * the signal's reason
   */
  async json(call: ApiCall, { signal }: { signal: AbortSignal }): Promise<unknown> {
    const deadline = AbortSignal.timeout(call.deadlineMs ?? DEADLINE_MS);
    const all = AbortSignal.any([signal, deadline]);
    const once = async () => {
      const answer = await this.#open(call, all);
      return parseJson(await answer.read(call.bytesMax ?? ANSWER_BYTES_MAX), call);
    };
    try {
      return await retry(once, {
        attemptsMax: (call.method ?? 'GET') === 'GET' ? ATTEMPTS_MAX : 1,
        clock: this.#deps.clock,
        signal: all,
        waitMs: (error, failures) => this.waitMs(error, failures),
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!deadline.aborted) throw error;
      throw new CodedError('UNAVAILABLE', `${nameOf(call)} had no answer in time`, { cause: error });
    }
  }

  /** An answer with status 200 whose body comes bit by bit. Errors: as `json`. No attempt but the first is made. */
  stream(call: ApiCall, { signal }: { signal: AbortSignal }): Promise<HttpAnswer> {
    return this.#open(call, signal);
  }

  /** How long to wait after a failure, milliseconds; undefined when trying again is of no use. */
  waitMs(error: unknown, failures: number): number | undefined {
    const wait = backoffMs(failures, BACKOFF, this.#deps.random);
    if (error instanceof ApiError) {
      // Whoever is told to come in two seconds does not come in two with everybody else.
      return error.isPassing
        ? Math.max(wait, (error.refusal.retryAfterMs ?? 0) * (1 + this.#deps.random() / 4))
        : undefined;
    }
    return isCode(error, 'UNAVAILABLE', 'DATA_LOSS') ? wait : undefined;
  }

  async #open(call: ApiCall, signal: AbortSignal): Promise<HttpAnswer> {
    const first = await this.#exchange(call, { isRefused: false, signal });
    if (first.status !== 401) return await this.#accepted(call, first);
    await first.discard();
    return await this.#accepted(call, await this.#exchange(call, { isRefused: true, signal }));
  }

  async #accepted(call: ApiCall, answer: HttpAnswer): Promise<HttpAnswer> {
    if (answer.status >= 200 && answer.status < 300) return answer;
    const body = await answer.read(REFUSAL_BYTES_MAX).then(String, messageOf);
    const { status, headers } = answer;
    throw refusedAnswer(nameOf(call), { status, body, retryAfter: headers['retry-after'] });
  }

  async #exchange(call: ApiCall, options: { isRefused: boolean; signal: AbortSignal }): Promise<HttpAnswer> {
    const access = await this.#deps.access(options);
    const { headers, tls } = await access.credentials(options);
    const request = {
      method: call.method ?? 'GET',
      url: urlOf(access.server, call),
      headers: { ...headers, accept: 'application/json', ...(call.body !== undefined && JSON_BODY) },
      tls,
      ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
      ...(call.idleMs !== undefined && { idleMs: call.idleMs }),
    };
    return this.#deps.transport.open(request, { signal: options.signal });
  }
}

const JSON_BODY = { 'content-type': 'application/json' };

/** How messages name a request. */
export function nameOf({ method = 'GET', path }: ApiCall): string {
  return `${method} of "${path}"`;
}

function urlOf(server: URL, { path, query = {} }: ApiCall): URL {
  const url = new URL(server);
  url.pathname = `${server.pathname.replace(/\/+$/, '')}${path}`;
  for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, value);
  return url;
}

function parseJson(bytes: Buffer, call: ApiCall): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new CodedError('DATA_LOSS', `${nameOf(call)} was not answered with JSON`, { cause });
  }
}
