/** What an API server answers when it does not do what it was asked (apimachinery `meta/v1.Status`). Pure. */
import { CodedError, type ErrorCode } from '../../../../core/runtime/errors.ts';
import { field, textField } from '../../extract/values.ts';
import { clipped } from '../../unresolved.ts';

export interface Refusal {
  /** An HTTP status, or the code of a Status in a watch. */
  readonly status: number;
  /** `Expired`, `AlreadyExists`, …; undefined when it does not say. */
  readonly reason: string | undefined;
  /** When to come again, milliseconds; undefined when it does not say. */
  readonly retryAfterMs: number | undefined;
}

const CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [400, 'INVALID_ARGUMENT'],
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [405, 'FAILED_PRECONDITION'],
  [406, 'FAILED_PRECONDITION'],
  [409, 'FAILED_PRECONDITION'],
  [410, 'OUT_OF_RANGE'],
  [413, 'RESOURCE_EXHAUSTED'],
  [422, 'INVALID_ARGUMENT'],
  [429, 'RESOURCE_EXHAUSTED'],
]);
/** Trying again is of use: overloaded, starting, or behind a proxy that has lost it. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);
/** Nobody waits longer because a server says so, milliseconds. */
const RETRY_AFTER_MAX_MS = 60_000;

/** Refused, with what the server says of it. */
export class ApiError extends CodedError {
  override readonly name = 'ApiError';
  readonly refusal: Refusal;

  constructor(message: string, refusal: Refusal) {
    super(codeFor(refusal), message);
    this.refusal = refusal;
  }

  get isPassing(): boolean {
    return PASSING.has(this.refusal.status);
  }
}

/** The error of an answer; its body is a Status, or whatever a proxy says. */
export function refusedAnswer(
  action: string,
  answer: { status: number; body: string; retryAfter: string | undefined },
): ApiError {
  const status = parsed(answer.body);
  const said = textField(status, 'message') ?? answer.body;
  const seconds = answer.retryAfter ?? field(status, 'details', 'retryAfterSeconds');
  return new ApiError(`${action} is refused with ${answer.status}${said === '' ? '' : `: ${clipped(said)}`}`, {
    status: answer.status,
    reason: textField(status, 'reason'),
    retryAfterMs: waitOf(seconds),
  });
}

/** The error of a watch, which comes as an event. */
export function refusedWatch(action: string, status: unknown): ApiError {
  const code = field(status, 'code');
  return new ApiError(`${action} was ended: ${clipped(textField(status, 'message') ?? 'no reason is given')}`, {
    status: typeof code === 'number' ? code : 500,
    reason: textField(status, 'reason'),
    retryAfterMs: waitOf(field(status, 'details', 'retryAfterSeconds')),
  });
}

function codeFor({ status, reason }: Refusal): ErrorCode {
  if (reason === 'AlreadyExists') return 'ALREADY_EXISTS';
  return CODES.get(status) ?? (status >= 500 ? 'UNAVAILABLE' : 'INTERNAL');
}

function waitOf(seconds: unknown): number | undefined {
  const number = Number(seconds);
  if (seconds === undefined || !Number.isFinite(number) || number < 0) return undefined;
  return Math.min(number * 1000, RETRY_AFTER_MAX_MS);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
