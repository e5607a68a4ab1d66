/** Control calls to peers: one message, one answer, as the Connect protocol's unary calls over HTTP/1.1. */
import type { Clock } from '../../../core/runtime/clock.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import type { PeerAddress, PeerCalls, PeerMethod } from '../peer.ts';
import { CALL_CONTENT_TYPE } from '../wire/call-head.ts';
import { fromWire } from '../wire/status.ts';
import { MessageSink } from './body-sink.ts';
import type { ConnectionPool } from './connection-pool.ts';
import type { PeerConnection } from './peer-connection.ts';
import { errorSink } from './range-client.ts';

/** Made once: each abort without a reason makes an exception with a stack. */
const OVER = new Error('The call is over');

export class CallClient implements PeerCalls {
  readonly #pool: ConnectionPool;
  readonly #clock: Clock;
  readonly #messageBytesMax: number;

  constructor(deps: { pool: ConnectionPool; clock: Clock }, options: { messageBytesMax: number }) {
    this.#pool = deps.pool;
    this.#clock = deps.clock;
    this.#messageBytesMax = options.messageBytesMax;
  }

  async call(
    peer: PeerAddress,
    method: PeerMethod,
    request: object,
    { signal, deadlineMs }: { signal: AbortSignal; deadlineMs: number },
  ): Promise<object> {
    const message = method.requestSerialize(request);
    if (message.length > this.#messageBytesMax) {
      throw new CodedError('RESOURCE_EXHAUSTED', `Call "${method.path}" of ${message.length} bytes is too large`);
    }
    const stop = new AbortController();
    const ended = new AbortController();
    const onAbort = () => stop.abort(OVER);
    signal.throwIfAborted();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#clock.sleep(deadlineMs, { signal: ended.signal }).then(onAbort, () => undefined);
    const use = (connection: PeerConnection) => this.#exchange(connection, { peer, method, message, deadlineMs });
    try {
      // A message that may have arrived is not sent again: only who made it knows whether that would do harm.
      return await this.#pool.run(peer, use, { signal: stop.signal, mayRepeat: () => false });
    } catch (error) {
      signal.throwIfAborted();
      if (!stop.signal.aborted) throw error;
      const reason = `Call "${method.path}" to "${peer.name}" was not answered within ${deadlineMs} ms`;
      throw new CodedError('UNAVAILABLE', reason, { cause: error });
    } finally {
      ended.abort(OVER);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #exchange(
    connection: PeerConnection,
    call: { peer: PeerAddress; method: PeerMethod; message: Buffer; deadlineMs: number },
  ): Promise<object> {
    const { peer, method, message, deadlineMs } = call;
    const host = peer.host.includes(':') ? `[${peer.host}]` : peer.host;
    const head =
      `POST ${method.path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${CALL_CONTENT_TYPE}\r\nConnect-Protocol-Version: 1\r\n` +
      `Connect-Timeout-Ms: ${Math.max(1, Math.round(deadlineMs))}\r\nContent-Length: ${message.length}\r\n\r\n`;
    let status = 0;
    const sink = await connection.request(Buffer.concat([Buffer.from(head, 'latin1'), message]), (answer) => {
      status = answer.status;
      if (answer.status !== 200) return errorSink(answer);
      if (answer.contentLength <= this.#messageBytesMax && answer.contentType === CALL_CONTENT_TYPE) {
        return new MessageSink(answer.contentLength);
      }
      throw new CodedError('UNAVAILABLE', `Peer "${peer.name}" answered "${method.path}" with something else`);
    });
    const body = await sink.whole();
    if (status !== 200) throw fromWire(body, { peer: peer.name, status });
    try {
      return method.responseDeserialize(body);
    } catch (error) {
      throw new CodedError('UNAVAILABLE', `Answer of "${peer.name}" to "${method.path}" cannot be read`, {
        cause: error,
      });
    }
  }
}
