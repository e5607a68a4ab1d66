/** The admin address on node:http: limits, guards, and each request to its route. */
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { CodedError, codeOf } from '../../core/runtime/errors.ts';
import { closeHttp, httpAddressOf, listenHttp } from '../../core/runtime/http-listener.ts';
import type { Service } from '../../core/runtime/lifecycle.ts';
import type { AdminDeps, AdminOptions } from './admin.ts';
import { type AdminEvents, createAdminEvents } from './events.ts';
import { sendError, sendMethodRefused } from './json-answers.ts';
import { liveRoutes, pageRoutes } from './live/live-routes.ts';
import { createLiveView } from './live/live-view.ts';
import { readPageFiles } from './live/page-files.ts';
import { PlanBoard } from './live/plan-board.ts';
import { type GuardRules, type GuardedRequest, checkChange, checkHost } from './request-guard.ts';
import { type Route, allowedBy, createRoutes, doesAnswer, routesAt } from './routes.ts';

/** People, one Prometheus, one warmer, a few scripts. */
const CONNECTIONS_MAX = 256;
const HEADER_BYTES_MAX = 16 * 1024;
/** A caller on this machine sends its request at once. */
const HEADERS_TIMEOUT_MS = 10_000;
/** Bodies have deadlines of their own, each by its kind. */
const REQUEST_TIMEOUT_MS = 0;
const KEEP_ALIVE_MS = 5_000;

const PAGE_FOLDER = fileURLToPath(new URL('./page/', import.meta.url));
/** How long running answers may go on after `stop`. */
const STOP_GRACE_MS = 1_000;

export interface AdminServer extends Service {
  /** Where it listens, as `host:port`; undefined before start and after stop. */
  address(): string | undefined;
}

/** `start` rejects with UNAVAILABLE or the system's own reason when the address cannot be had. */
export function createAdmin(deps: AdminDeps, options: AdminOptions): AdminServer {
  const events = createAdminEvents(deps.log);
  const rules: GuardRules = {
    token: options.token,
    listenHost: options.listen.host,
    names: new Set((options.names ?? []).map((name) => name.toLowerCase())),
  };
  const plans = new PlanBoard();
  const live = createLiveView({ ...deps, plans });
  const routes = new Map([...createRoutes(deps), ...liveRoutes({ ...deps, live, plans, rules })]);
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (request, response) => void answer({ routes, rules, events }, request, response),
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.on('clientError', refuseUnreadable);
  return {
    async start(call) {
      for (const [path, route] of pageRoutes(await readPageFiles(PAGE_FOLDER))) routes.set(path, route);
      await live.start(call);
      await listenHttp(server, options.listen, 'the admin address');
      events.listening(httpAddressOf(server) ?? '');
    },
    async stop() {
      await live.stop();
      await closeHttp(server, STOP_GRACE_MS);
    },
    address: () => httpAddressOf(server),
  };
}

interface Answering {
  readonly routes: ReadonlyMap<string, Route>;
  readonly rules: GuardRules;
  readonly events: AdminEvents;
}

async function answer(to: Answering, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const method = request.method ?? '';
  const path = request.url?.split('?', 1)[0] ?? '';
  try {
    const guarded = guardedOf(request);
    checkHost(guarded, to.rules);
    const routes = routesAt(to.routes, path);
    if (routes.length === 0) throw new CodedError('NOT_FOUND', 'No such path');
    const route = routes.find((one) => doesAnswer(one, method));
    if (route === undefined) return sendMethodRefused(response, allowedBy(routes));
    if (route.isChange) checkChange(guarded, to.rules, route.body);
    await route.handle(request, response);
  } catch (error) {
    to.events.failed({ method, path: path.slice(0, 200) }, error);
    refuse(response, error);
  }
}

function refuse(response: ServerResponse, error: unknown): void {
  // An answer that is under way can only be cut off; one that has said its failure itself is whole.
  if (response.headersSent) {
    if (!response.writableEnded) response.destroy();
    return;
  }
  // What is left of the request is not read, so the connection cannot be used again.
  response.shouldKeepAlive = false;
  sendError(response, error, codeOf(error) === 'UNAUTHENTICATED' ? { 'www-authenticate': 'Bearer realm="shoal"' } : {});
}

function guardedOf({ headers }: IncomingMessage): GuardedRequest {
  return {
    host: headers.host,
    origin: headers.origin,
    authorization: headers.authorization,
    contentType: headers['content-type'],
  };
}

/** The status line for what node:http could not read as a request. */
const UNREADABLE_STATUS: ReadonlyMap<string, string> = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
]);

function refuseUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable) return void socket.destroy();
  const body = `${JSON.stringify({ error: { code: 'INVALID_ARGUMENT', message: 'Request could not be read' } })}\n`;
  const head = [
    `HTTP/1.1 ${UNREADABLE_STATUS.get(error.code ?? '') ?? '400 Bad Request'}`,
    'connection: close',
    'content-type: application/json; charset=utf-8',
    `content-length: ${body.length}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
