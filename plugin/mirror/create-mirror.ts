/** The mirror's address on node:http (HTTP/1.1): bounds on connections and time, and each request to its answer. */
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { isLoopback } from '../../core/runtime/config-address.ts';
import { closeHttp, httpAddressOf, listenHttp } from '../../core/runtime/http-listener.ts';
import { RequestAnswerer } from './answer-request.ts';
import { COMMON_HEAD } from './answering.ts';
import { createMirrorEvents } from './events.ts';
import {
  ACCEPTED_MAX,
  CONNECTIONS_CHECK_MS,
  CONNECTIONS_MAX,
  HEADERS_MAX,
  HEADERS_TIMEOUT_MS,
  HEADER_BYTES_MAX,
  KEEP_ALIVE_MS,
  LINGER_MS,
  REQUESTS_PER_SOCKET_MAX,
  REQUEST_TIMEOUT_MS,
  STOP_GRACE_MS,
} from './limits.ts';
import type { Mirror, MirrorDeps, MirrorOptions } from './mirror.ts';
import { OpenConnections } from './open-connections.ts';
import { badRequest, refusalBody } from './spec-errors.ts';

/** `start` rejects with UNAVAILABLE or the system's own reason when the address cannot be had. */
export function createMirror(deps: MirrorDeps, options: MirrorOptions): Mirror {
  const events = createMirrorEvents(deps, () => connections.size);
  const connections = new OpenConnections({ max: CONNECTIONS_MAX, onOverflow: (closed) => events.overflowed(closed) });
  const answerer = new RequestAnswerer(deps, options, events);
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
      insecureHTTPParser: false,
      noDelay: true,
    },
    (request, response) => {
      connections.began(request.socket);
      response.once('close', () => connections.ended(request.socket));
      void answerer.answer(request, response);
    },
  );
  server.maxConnections = ACCEPTED_MAX;
  server.maxHeadersCount = HEADERS_MAX;
  server.maxRequestsPerSocket = REQUESTS_PER_SOCKET_MAX;
  server.on('connection', (socket: Socket) => {
    connections.opened(socket);
    socket.once('close', () => connections.closed(socket));
  });
  server.on('drop', () => events.overflowed('new'));
  server.on('clientError', refuseUnreadable);
  // Without these node:http closes such connections without a word.
  server.on('connect', (_request, socket) => refuseMethod(socket));
  server.on('checkExpectation', (request, response) => {
    answerer.refuse(request, response, badRequest('UNSUPPORTED', 'Header "expect" is not "100-continue"', 417));
  });
  return {
    async start() {
      await listenHttp(server, options.listen, "the mirror's address");
      events.listening(httpAddressOf(server) ?? '', !isLoopback(options.listen.host) && options.authorize !== 'caller');
    },
    stop: () => closeHttp(server, STOP_GRACE_MS),
    address: () => httpAddressOf(server),
    configure: (rules) => answerer.configure(rules),
  };
}

/** The status line for what node:http could not read as a request. */
const UNREADABLE_STATUS: ReadonlyMap<string, string> = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
]);

/** Told again for each part of what comes after it, which is read and thrown away: a reset would take the answer with it. */
function refuseUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable) return;
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
  endWith(socket, UNREADABLE_STATUS.get(error.code ?? '') ?? '400 Bad Request', 'Request could not be read');
}

function refuseMethod(socket: { writable: boolean; destroy(): unknown; end(text: string): unknown }): void {
  if (!socket.writable) return void socket.destroy();
  endWith(socket, '405 Method Not Allowed', 'Method is not one of GET, HEAD: a mirror is pulled from');
}

function endWith(socket: { end(text: string): unknown }, status: string, message: string): void {
  const body = refusalBody({ status: 400, code: 'UNSUPPORTED', message });
  const head = [
    `HTTP/1.1 ${status}`,
    'connection: close',
    'content-type: application/json',
    `content-length: ${body.length}`,
    ...Object.entries(COMMON_HEAD).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
