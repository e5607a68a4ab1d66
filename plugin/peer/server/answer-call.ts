/** Answers one control call. */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../../core/runtime/clock.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import type { PeerHandlers } from '../peer.ts';
import { CALL_CONTENT_TYPE, parseCallHead } from '../wire/call-head.ts';
import type { AcceptedConnection } from './accepted-connections.ts';
import type { ResponseWriter } from './response-writer.ts';

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
  readonly signal: AbortSignal;
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
  const answer = await withDeadline(deps.clock, { timeoutMs, signal: turn.signal }, (signal) =>
    found.handle(request, { peer: connection.peer, signal }),
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

async function bodyOf(incoming: IncomingMessage, bytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part);
  const body = Buffer.concat(parts);
  if (body.length !== bytes) throw new CodedError('INVALID_ARGUMENT', 'The call has another length than it says');
  return body;
}

function decode(deserialize: (bytes: Buffer) => object, body: Buffer): object {
  try {
    return deserialize(body);
  } catch (error) {
    throw new CodedError('INVALID_ARGUMENT', 'The message of the call cannot be read', { cause: error });
  }
}

/** The handler hears of its deadline; a handler that does not listen is left behind. */
async function withDeadline<T>(
  clock: Clock,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const ended = new AbortController();
  const timer = clock.sleep(timeoutMs, { signal: AbortSignal.any([ended.signal, signal]) }).then(() => {
    late.abort();
    throw new CodedError('UNAVAILABLE', `The call was not answered within ${timeoutMs} ms`);
  });
  try {
    return await Promise.race([task(AbortSignal.any([signal, late.signal])), timer]);
  } finally {
    ended.abort();
    timer.catch(() => undefined);
  }
}
