/** A control call on the wire: a unary call of the Connect protocol over HTTP/1.1 (connectrpc.com/docs/protocol). */
import type { IncomingHttpHeaders } from 'node:http';
import { CodedError } from '../../../core/runtime/errors.ts';

/** Messages are protobuf, not compressed. */
export const CALL_CONTENT_TYPE = 'application/proto';

export interface CallHead {
  readonly bodyBytes: number;
  /** How long the caller waits, milliseconds; undefined when it does not say. */
  readonly timeoutMs: number | undefined;
}

/** @throws CodedError INVALID_ARGUMENT, or RESOURCE_EXHAUSTED for a message above `messageBytesMax` */
export function parseCallHead(headers: IncomingHttpHeaders, messageBytesMax: number): CallHead {
  if (headers['content-type'] !== CALL_CONTENT_TYPE || headers['content-encoding'] !== undefined) {
    throw new CodedError('INVALID_ARGUMENT', `A call comes as "${CALL_CONTENT_TYPE}", not compressed`);
  }
  const bodyBytes = decimal(headers['content-length'], 'Content-Length');
  if (bodyBytes === undefined) throw new CodedError('INVALID_ARGUMENT', 'A call says its Content-Length');
  if (bodyBytes > messageBytesMax) {
    throw new CodedError('RESOURCE_EXHAUSTED', `A call of ${bodyBytes} bytes is refused: at most ${messageBytesMax}`);
  }
  const timeout = headers['connect-timeout-ms'];
  return { bodyBytes, timeoutMs: decimal(typeof timeout === 'string' ? timeout : undefined, 'Connect-Timeout-Ms') };
}

function decimal(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^[0-9]{1,10}$/.test(text)) return Number(text);
  throw new CodedError('INVALID_ARGUMENT', `${name} is not a number of at most ten digits`);
}
