/**
 * One HTTP exchange, on got: no redirect, no retry, no status that is an error, no decoding. It knows deadlines, back
 * pressure and which certificates to trust; it does not know what a registry is.
 */
import { Agent as HttpAgent, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import { getCACertificates } from 'node:tls';
import got, { type HttpsOptions, type Request as GotStream } from 'got';
import { CodedError } from '../runtime/errors.ts';
import { whyUnreachable } from './unreachable.ts';

export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  url: URL;
  headers: Readonly<Record<string, string>>;
  /** Already encoded. */
  body?: string;
  /** PEM certificates to trust besides the usual ones. */
  ca?: string;
  lookup?: LookupFunction;
  /** In place of the transport's, for an answer that comes when something happens; milliseconds. */
  idleMs?: number;
  /** In place of `ca`: everything that is said of TLS for this server. */
  tls?: TlsSettings;
}

/** Whom to trust and what to show. */
export interface TlsSettings {
  /** PEM certificates; they alone are trusted. undefined: the usual ones. */
  ca?: string | undefined;
  /** PEM, the client's own. */
  certificate?: string | undefined;
  key?: string | undefined;
  /** The name that is asked for and that the certificate must have, when it is not that of the URL. */
  serverName?: string | undefined;
  /** Nobody's certificate is looked at. */
  isInsecure?: boolean;
}

/** An answer whose body has not been read yet: read it, `discard` it or `destroy` it, or its connection stays open. */
export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Errors: CodedError UNAVAILABLE when it breaks or stalls, CANCELLED. Leaving the loop closes the connection. */
  body: AsyncIterable<Buffer>;
  /** Reads the body whole. Throws CodedError RESOURCE_EXHAUSTED past `bytesMax`. */
  read(bytesMax: number): Promise<Buffer>;
  /** Gets rid of the body: a short one is read, so that the connection can be used again. Never throws. */
  discard(): Promise<void>;
  destroy(): void;
}

export interface TransportTimeouts {
  /** To resolve, connect and shake hands, each, milliseconds. */
  connectMs: number;
  /** From the request sent to the first byte of the answer, milliseconds. */
  responseMs: number;
  /** Between two reads of a body that someone waits for, milliseconds. */
  idleMs: number;
}

export const DEFAULT_TIMEOUTS: TransportTimeouts = { connectMs: 10_000, responseMs: 30_000, idleMs: 30_000 };

/** Connections at once to one host; further requests wait. Registries and their CDNs throttle well below. */
const SOCKETS_PER_HOST_MAX = 64;
/** Idle connections kept to one host. */
const IDLE_SOCKETS_PER_HOST_MAX = 8;
/** A connection unused for so long is closed, milliseconds; servers close at 60 s and later. */
const IDLE_SOCKET_MS = 15_000;
/** Reading more than this costs more than a new connection. */
const DISCARD_BYTES_MAX = 64 * 1024;

const noop = () => undefined;

/** A pool of connections. `close` ends those that are open. */
export class HttpTransport {
  readonly #timeouts: TransportTimeouts;
  readonly #agents: { http: HttpAgent; https: HttpsAgent };

  constructor(timeouts: Partial<TransportTimeouts> = {}) {
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...timeouts };
    const settings = {
      keepAlive: true,
      maxSockets: SOCKETS_PER_HOST_MAX,
      maxFreeSockets: IDLE_SOCKETS_PER_HOST_MAX,
      timeout: IDLE_SOCKET_MS,
    };
    this.#agents = { http: new HttpAgent(settings), https: new HttpsAgent(settings) };
  }

  /** Sends a request; resolves when the status and headers are there. Errors: CodedError UNAVAILABLE, CANCELLED, or the lookup's own. */
  async open(request: HttpRequest, options: { signal: AbortSignal }): Promise<HttpAnswer> {
    const { signal } = options;
    if (signal.aborted) throw cancelled(request.url, signal);
    const { connectMs, responseMs } = this.#timeouts;
    const stream = got.stream(request.url, {
      method: request.method,
      headers: { 'user-agent': 'shoal', 'accept-encoding': 'identity', ...request.headers },
      ...(request.body === undefined ? {} : { body: request.body }),
      retry: { limit: 0 },
      throwHttpErrors: false,
      followRedirect: false,
      decompress: false,
      agent: this.#agents,
      timeout: { lookup: connectMs, connect: connectMs, secureConnect: connectMs, response: responseMs },
      ...(request.lookup === undefined ? {} : { dnsLookup: request.lookup }),
      ...(request.ca === undefined ? {} : { https: { certificateAuthority: trusting(request.ca) } }),
      ...(request.tls === undefined ? {} : { https: gotTls(request.tls) }),
      signal,
    });
    const failed = (error: unknown) => failure(error, request.url, signal);
    return await new Promise<HttpAnswer>((resolve, reject) => {
      stream.once('error', (error) => reject(failed(error)));
      stream.once('response', (response: { statusCode: number; headers: IncomingHttpHeaders }) => {
        // Nobody may be reading when a later error comes; whoever reads gets it from the read.
        stream.on('error', noop);
        const idleMs = request.idleMs ?? this.#timeouts.idleMs;
        resolve(answerOf(stream, response, { idleMs, failed }));
      });
    });
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }
}

interface BodyRules {
  idleMs: number;
  failed(error: unknown): CodedError;
}

function answerOf(
  stream: GotStream,
  response: { statusCode: number; headers: IncomingHttpHeaders },
  rules: BodyRules,
): HttpAnswer {
  const body = bodyOf(stream, rules);
  return {
    status: response.statusCode,
    headers: response.headers,
    body,
    read: (bytesMax) => readWhole(body, bytesMax),
    discard: () => readWhole(body, DISCARD_BYTES_MAX).then(noop, noop),
    destroy: () => void (stream.readableEnded || stream.destroy()),
  };
}

async function* bodyOf(stream: GotStream, rules: BodyRules): AsyncGenerator<Buffer> {
  const chunks = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      // The timer runs only while a read waits: a reader that takes its time is no fault of the server's.
      const timer = setTimeout(() => stream.destroy(stallError(rules.idleMs)), rules.idleMs);
      const { done, value } = await chunks.next().finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw rules.failed(error);
  } finally {
    if (!stream.readableEnded) stream.destroy();
  }
}

async function readWhole(body: AsyncIterable<Buffer>, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of body) {
    total += chunk.length;
    if (total > bytesMax) throw new CodedError('RESOURCE_EXHAUSTED', `Answer has more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function stallError(idleMs: number): CodedError {
  return new CodedError('UNAVAILABLE', `no byte for ${idleMs} ms`);
}

/** Everything that can go wrong below HTTP, in our own kinds. Only the host is named: paths and queries may be signed. */
function failure(error: unknown, url: URL, signal: AbortSignal): CodedError {
  if (signal.aborted) return cancelled(url, signal);
  for (let cause = error, depth = 0; depth < 5; cause = causeOf(cause), depth += 1) {
    if (cause instanceof CodedError && cause.code !== 'UNAVAILABLE') return cause;
  }
  return new CodedError('UNAVAILABLE', `Request to "${url.host}" failed: ${whyUnreachable(error)}`, { cause: error });
}

function causeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
}

/** By name, not `instanceof`: the reason may come from another realm. */
function causeName(reason: unknown): unknown {
  return typeof reason === 'object' && reason !== null && 'name' in reason ? reason.name : undefined;
}

function cancelled(url: URL, signal: AbortSignal): CodedError {
  if (signal.reason instanceof CodedError) return signal.reason;
  const isLate = causeName(signal.reason) === 'TimeoutError';
  if (isLate) return new CodedError('UNAVAILABLE', `Request to "${url.host}" took too long`, { cause: signal.reason });
  return new CodedError('CANCELLED', `Request to "${url.host}" was cancelled`, { cause: signal.reason });
}

function gotTls({ ca, certificate, key, serverName, isInsecure = false }: TlsSettings): HttpsOptions {
  return {
    rejectUnauthorized: !isInsecure,
    ...(ca !== undefined && { certificateAuthority: ca }),
    ...(certificate !== undefined && { certificate }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { serverName }),
  };
}

function trusting(ca: string): string[] {
  return [...getCACertificates('default'), ca];
}
