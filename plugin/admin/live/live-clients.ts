/** Those who watch, by server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): bounded, with heartbeats, and without the slow. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CodedError } from '../../../core/runtime/errors.ts';
import { COMMON_HEADERS } from '../json-answers.ts';

/** Pages open at once. */
export const LIVE_CLIENTS_MAX = 32;
/** What one may have unread: a page that takes nothing is cut off, and comes again when it can. */
const UNREAD_BYTES_MAX = 1024 * 1024;
/** Without news a line says so, so that proxies keep the connection and dead ones are noticed. Milliseconds. */
export const HEARTBEAT_MS = 10_000;
/** A page that was cut off waits so long before it comes again, milliseconds. */
const RETRY_MS = 3_000;

export class LiveClients {
  readonly #clients = new Set<ServerResponse>();
  readonly #onCount: (count: number) => void;

  /** @param onCount told how many there are whenever that changes */
  constructor(onCount: (count: number) => void) {
    this.#onCount = onCount;
  }

  get size(): number {
    return this.#clients.size;
  }

  /** @throws CodedError RESOURCE_EXHAUSTED when as many as may be are there */
  add(request: IncomingMessage, response: ServerResponse): void {
    if (this.#clients.size >= LIVE_CLIENTS_MAX) {
      throw new CodedError('RESOURCE_EXHAUSTED', `${LIVE_CLIENTS_MAX} pages are open already`);
    }
    response.writeHead(200, { ...COMMON_HEADERS, 'content-type': 'text/event-stream; charset=utf-8' });
    if (request.method === 'HEAD') return void response.end();
    response.write(`retry: ${RETRY_MS}\n\n`);
    this.#clients.add(response);
    response.once('close', () => {
      this.#clients.delete(response);
      this.#onCount(this.#clients.size);
    });
    this.#onCount(this.#clients.size);
  }

  /** To all; the text is made once. */
  tell(event: string, data: unknown): void {
    if (this.#clients.size > 0) this.#write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  heartbeat(): void {
    this.#write(': still here\n\n');
  }

  close(): void {
    for (const client of this.#clients) client.end();
  }

  #write(text: string): void {
    for (const client of this.#clients) {
      client.write(text);
      if (client.writableLength > UNREAD_BYTES_MAX) client.destroy();
    }
  }
}
