/**
 * Failures on the wire, as the Connect protocol says them for unary calls (connectrpc.com/docs/protocol, "Error codes"):
 * an HTTP status and a JSON text `{"code":"not_found","message":"…"}`. Ranges fail in the same way.
 */
import { CodedError, codeOf, ERROR_CODES, type ErrorCode, messageOf } from '../../../core/runtime/errors.ts';

/** The one table of this edge. */
const STATUS = {
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  OUT_OF_RANGE: 400,
  UNAVAILABLE: 503,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  RESOURCE_EXHAUSTED: 429,
  DATA_LOSS: 500,
  CANCELLED: 499,
  INTERNAL: 500,
} as const satisfies Record<ErrorCode, number>;

/** Connect's spelling of the one code that differs. */
const CANCELLED_ON_WIRE = 'canceled';

/** Characters of a message; a caller's own text may be quoted in it. */
const MESSAGE_MAX = 1024;

/** What an error's text may take at most, escaped. */
export const ERROR_BYTES_MAX = 16 * 1024;

export interface WireError {
  readonly status: number;
  readonly body: Buffer;
}

export function toWire(error: unknown): WireError {
  const code = codeOf(error);
  // What nobody foresaw may tell of this node's inside, so it stays here, in the log.
  const message = code === 'INTERNAL' ? 'Internal error' : messageOf(error).slice(0, MESSAGE_MAX);
  const name = code === 'CANCELLED' ? CANCELLED_ON_WIRE : code.toLowerCase();
  return { status: STATUS[code], body: Buffer.from(JSON.stringify({ code: name, message })) };
}

/**
 * What `peer` answered instead of what was asked for. A text that cannot be read is UNAVAILABLE, whatever its status; so is CANCELLED,
 * because only this side knows whether this side gave up.
 */
export function fromWire(body: Uint8Array, facts: { peer: string; status: number }): CodedError {
  const { code, message } = parseError(body);
  const told = code === undefined || code === 'CANCELLED' ? 'UNAVAILABLE' : code;
  return new CodedError(told, `Peer "${facts.peer}" answered ${facts.status}: ${message}`);
}

function parseError(body: Uint8Array): { code: ErrorCode | undefined; message: string } {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    if (typeof value !== 'object' || value === null) return { code: undefined, message: 'no reason given' };
    const named = 'code' in value ? value.code : undefined;
    const told = 'message' in value && typeof value.message === 'string' ? value.message : '';
    const code = ERROR_CODES.find(
      (known) => named === (known === 'CANCELLED' ? CANCELLED_ON_WIRE : known.toLowerCase()),
    );
    return { code, message: told.slice(0, MESSAGE_MAX).replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]+/gu, ' ') };
  } catch {
    return { code: undefined, message: 'no reason given' };
  }
}
