/** What the port answers: ranges by GET, control calls by POST, on one HTTP/1.1 server whose connections it is handed. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { CodedError, isCode } from '../../../core/runtime/errors.ts';
import type { PeerEvents } from '../events.ts';
import type { PeerLimits } from '../limits.ts';
import { parseRangePath } from '../wire/range-path.ts';
import type { AcceptedConnection, AcceptedConnections } from './accepted-connections.ts';
import { type AnswerCallDeps, answerCall } from './answer-call.ts';
import { type AnswerRangeDeps, answerRange } from './answer-range.ts';
import { PEER_GONE, ResponseWriter } from './response-writer.ts';
import { Shares } from './shares.ts';

/** Our own requests have five short fields; a path has 110 characters. */
const HEAD_BYTES_MAX = 2048;
const FIELDS_MAX = 16;

export interface PeerServerDeps {
  readonly ranges: AnswerRangeDeps;
  readonly calls: AnswerCallDeps;
  readonly connections: AcceptedConnections;
  readonly events: PeerEvents;
  readonly limits: PeerLimits;
}

export class PeerServer {
  readonly #deps: PeerServerDeps;
  readonly #http: Server;
  readonly #uploads: Shares;
  readonly #calls: Shares;

  constructor(deps: PeerServerDeps) {
    this.#deps = deps;
    const { limits } = deps;
    this.#uploads = new Shares('ranges', { all: limits.uploadsMax, perPeer: limits.uploadsPerPeerMax });
    this.#calls = new Shares('calls', { all: limits.callsMax, perPeer: limits.callsPerPeerMax });
    // Its own timers run only for sockets that it listens on itself; `AcceptedConnections` has the deadlines.
    this.#http = createServer({
      maxHeaderSize: HEAD_BYTES_MAX,
      keepAliveTimeout: 0,
      requestTimeout: 0,
      headersTimeout: 0,
    });
    this.#http.maxHeadersCount = FIELDS_MAX;
    this.#http.on('request', (incoming, response) => this.#request(incoming, response));
    this.#http.on('checkContinue', (incoming, response) => this.#request(incoming, response));
    this.#http.on('clientError', (err, socket) => {
      deps.events.refused('bad_request', { peer: 'unknown', err });
      socket.destroy();
    });
  }

  accept(connection: AcceptedConnection): void {
    if (!this.#deps.connections.add(connection)) {
      this.#deps.events.refused('too_many_connections', { peer: connection.peer });
      connection.socket.destroy();
      return;
    }
    this.#http.emit('connection', connection.socket);
  }

  #request(incoming: IncomingMessage, response: ServerResponse): void {
    const connection = this.#deps.connections.get(incoming.socket);
    // What was read before a connection was ended is still parsed.
    if (connection === undefined || incoming.socket.destroyed) {
      incoming.socket.destroy();
    } else if (connection.doing === 'idle') {
      this.#begin(connection, incoming, response);
    } else if (connection.doing === 'ending' && connection.next === undefined) {
      connection.next = () => this.#begin(connection, incoming, response);
    } else {
      // Requests that come before the answer to the last one would queue up here without a bound.
      this.#deps.events.refused('pipelined', { peer: connection.peer });
      connection.socket.destroy();
    }
  }

  #begin(connection: AcceptedConnection, incoming: IncomingMessage, response: ServerResponse): void {
    connection.now('working');
    this.#answer(connection, incoming, response)
      .then(() => {
        connection.now('idle');
        const { next } = connection;
        connection.next = undefined;
        next?.();
      })
      .catch((err: unknown) => {
        this.#deps.events.failed({ what: 'answer', err });
        connection.socket.destroy();
      });
  }

  async #answer(connection: AcceptedConnection, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const writer = new ResponseWriter(response, connection);
    const gone = new AbortController();
    const finished = new Promise<void>((resolve) => {
      response.once('close', () => {
        if (!response.writableFinished) gone.abort(PEER_GONE);
        resolve();
      });
    });
    const turn = { connection, incoming, writer, gone };
    try {
      if (incoming.method === 'GET') await this.#range(turn);
      else if (incoming.method === 'POST') await this.#call(turn);
      else throw new CodedError('INVALID_ARGUMENT', 'Only GET and POST are answered');
    } catch (error) {
      this.#failed(turn, error);
    }
    await finished;
  }

  async #range({ connection, incoming, writer, gone }: Turn): Promise<void> {
    if (hasBody(incoming)) throw new CodedError('INVALID_ARGUMENT', 'A request for a range has no body');
    const request = parseRangePath(incoming.url ?? '');
    const giveBack = this.#uploads.take(connection.peer);
    try {
      const { peer, pace } = connection;
      await answerRange(this.#deps.ranges, { peer, request, writer, pace, signal: gone.signal });
    } finally {
      giveBack();
    }
  }

  async #call(turn: Turn): Promise<void> {
    const giveBack = this.#calls.take(turn.connection.peer);
    try {
      await answerCall(this.#deps.calls, turn);
    } finally {
      giveBack();
    }
  }

  #failed({ connection, incoming, writer, gone }: Turn, error: unknown): void {
    const { events } = this.#deps;
    const { peer } = connection;
    const path = (incoming.url ?? '').slice(0, 200);
    if (isCode(error, 'RESOURCE_EXHAUSTED')) events.refused('too_many_requests', { peer });
    else if (isCode(error, 'INVALID_ARGUMENT')) events.refused('bad_request', { peer, err: error });
    else if (isCode(error, 'INTERNAL') && !gone.signal.aborted) events.callFailed({ peer, path, err: error });
    else if (incoming.method === 'GET') events.rangeFailed({ peer, err: error });
    // A body that nobody reads would be taken for the next request.
    writer.fail(error, { close: !incoming.complete });
  }
}

interface Turn {
  readonly connection: AcceptedConnection;
  readonly incoming: IncomingMessage;
  readonly writer: ResponseWriter;
  readonly gone: AbortController;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
