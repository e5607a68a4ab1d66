/** JSON over HTTP: results, and errors with their code. */
import type { ServerResponse } from 'node:http';
import { CodedError, type ErrorCode, codeOf, messageOf } from '../../core/runtime/errors.ts';

const HTTP_STATUS = {
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 412,
  OUT_OF_RANGE: 416,
  UNAVAILABLE: 503,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  RESOURCE_EXHAUSTED: 429,
  DATA_LOSS: 502,
  CANCELLED: 499,
  INTERNAL: 500,
} as const satisfies Record<ErrorCode, number>;

/** What every answer says to browsers: nothing here is to be kept, sniffed or framed. */
export const COMMON_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** `{ "error": { "code", "message" } }`, as errors look in every answer and stream. */
export function errorJson(error: unknown): { code: ErrorCode; message: string } {
  const code = codeOf(error);
  // What we did not foresee may quote anything; the log has it whole.
  return { code, message: code === 'INTERNAL' && !(error instanceof CodedError) ? 'Internal error' : messageOf(error) };
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, {
    ...COMMON_HEADERS,
    'content-type': 'application/json; charset=utf-8',
    'content-length': bytes.length,
  });
  response.end(bytes);
}

export function sendError(
  response: ServerResponse,
  error: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  sendJson(response, HTTP_STATUS[codeOf(error)], { error: errorJson(error) });
}

/** A method that a path does not have. */
export function sendMethodRefused(response: ServerResponse, allowed: string): void {
  response.setHeader('allow', allowed);
  sendJson(response, 405, { error: { code: 'INVALID_ARGUMENT', message: `Method is not one of ${allowed}` } });
}
