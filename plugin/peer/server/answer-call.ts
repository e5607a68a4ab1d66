/** Answers one control call. */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../../core/runtime/clock.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import type { PeerHandlers } from '../peer.ts';
import { CALL_CONTENT_TYPE, parseCallHead } from '../wire/call-head.ts';
import type { AcceptedConnection } from './accepted-connections.ts';
import { PEER_GONE, type ResponseWriter } from './response-writer.ts';

export interface AnswerCallDeps {
  readonly handlers: PeerHandlers;
  readonly clock: Clock;
  readonly messageBytesMax: number;
  readonly deadlineMsMax: number;
}

export interface CallTurn {
  readonly incoming: IncomingMessage;
  readonly connection: AcceptedConnection;
  readonly writer: ResponseWriter;
  /** Aborted when nobody waits for the answer any more. */
  readonly gone: AbortController;
}

/** @throws CodedError what the handler throws; INVALID_ARGUMENT, RESOURCE_EXHAUSTED for what it must not be asked */
export async function answerCall(deps: AnswerCallDeps, turn: CallTurn): Promise<void> {
  const { incoming, connection, writer } = turn;
  const head = parseCallHead(incoming.headers, deps.messageBytesMax);
  const found = deps.handlers.get(incoming.url ?? '');
  if (found === undefined) throw new CodedError('FAILED_PRECONDITION', 'This node does not know that call');
  connection.now('reading');
  const request = decode(found.method.requestDeserialize, await bodyOf(incoming, head.bodyBytes));
  connection.now('working');
  const timeoutMs = Math.min(head.timeoutMs ?? deps.deadlineMsMax, deps.deadlineMsMax);
  const answer = await withDeadline(deps.clock, { timeoutMs, gone: turn.gone }, () =>
    found.handle(request, { peer: connection.peer, signal: turn.gone.signal }),
  );
  const message = found.method.responseSerialize(answer);
  if (message.length > deps.messageBytesMax) {
    throw new CodedError(
      'RESOURCE_EXHAUSTED',
      `The answer would have ${message.length} bytes: at most ${deps.messageBytesMax}`,
    );
  }
  writer.head({ contentType: CALL_CONTENT_TYPE, contentLength: message.length });
  writer.end(message);
}

function bodyOf(incoming: IncomingMessage, bytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('error', reject);
    incoming.on('close', () => reject(PEER_GONE));
    incoming.on('end', () => {
      const body = Buffer.concat(parts);
      if (body.length === bytes) resolve(body);
      else reject(new CodedError('INVALID_ARGUMENT', 'The call has another length than it says'));
    });
  });
}

function decode(deserialize: (bytes: Buffer) => object, body: Buffer): object {
  try {
    return deserialize(body);
  } catch (error) {
    throw new CodedError('INVALID_ARGUMENT', 'The message of the call cannot be read', { cause: error });
  }
}

/** The handler hears of its deadline; a handler that does not listen is left behind. */
async function withDeadline<T>(clock: Clock, deadline: Deadline, task: () => Promise<T>): Promise<T> {
  const ended = new AbortController();
  const late = clock.sleep(deadline.timeoutMs, { signal: ended.signal }).then(() => {
    const error = new CodedError('UNAVAILABLE', `The call was not answered within ${deadline.timeoutMs} ms`);
    deadline.gone.abort(error);
    throw error;
  });
  try {
    return await Promise.race([task(), late]);
  } finally {
    ended.abort(OVER);
  }
}

interface Deadline {
  readonly timeoutMs: number;
  readonly gone: AbortController;
}

/** Made once: each abort without a reason makes an exception with a stack. */
const OVER = new Error('The call is over');
