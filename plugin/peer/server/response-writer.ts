/** Writing a response piece by piece: each piece is with the kernel before the next one is asked for. */
import type { ServerResponse } from 'node:http';
import { CodedError } from '../../../core/runtime/errors.ts';
import { toWire } from '../wire/status.ts';
import type { AcceptedConnection } from './accepted-connections.ts';

/** Seconds after which a busy node may be asked again. */
const RETRY_AFTER_SECONDS = '1';

/** Made once: each error has a stack, and most answers end without anybody to tell. */
export const PEER_GONE = new CodedError('CANCELLED', 'The peer has gone');

export class ResponseWriter {
  readonly #response: ServerResponse;
  readonly #connection: AcceptedConnection;
  #reject: ((error: Error) => void) | undefined;

  constructor(response: ServerResponse, connection: AcceptedConnection) {
    this.#response = response;
    this.#connection = connection;
    response.once('close', () => this.#reject?.(PEER_GONE));
  }

  head(fields: { contentType: string; contentLength: number }): void {
    this.#response.writeHead(200, { 'Content-Type': fields.contentType, 'Content-Length': fields.contentLength });
  }

  /** Resolves when the buffer may be used again. @throws CodedError CANCELLED when the peer has gone */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#response.destroyed) return reject(PEER_GONE);
      this.#reject = reject;
      this.#connection.now('sending');
      this.#response.write(bytes, (error) => {
        this.#connection.now('working');
        if (error === null || error === undefined) resolve();
        else reject(new CodedError('CANCELLED', 'The peer has gone', { cause: error }));
      });
    });
  }

  end(bytes: Uint8Array): void {
    this.#connection.now('ending');
    this.#response.end(bytes);
  }

  /** Says why when nothing was said yet; otherwise ends the connection, so that nobody takes what came for the whole. */
  fail(error: unknown, options: { close?: boolean } = {}): void {
    if (this.#response.headersSent) {
      this.#connection.socket.destroy();
      return;
    }
    const { status, body } = toWire(error);
    const headers: Record<string, string | number> = {
      'Content-Type': 'application/json',
      'Content-Length': body.length,
    };
    if (status === 429) headers['Retry-After'] = RETRY_AFTER_SECONDS;
    if (options.close === true) headers.Connection = 'close';
    this.#response.writeHead(status, headers);
    this.end(body);
  }
}
