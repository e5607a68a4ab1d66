/** Errors as the OCI distribution specification writes them ("Error Codes"), and what each of ours is there. Pure. */
import { CodedError, type ErrorCode, codeOf, messageOf } from '../../core/runtime/errors.ts';

/** The specification's codes, and `UNAVAILABLE` and `UNKNOWN`, which registries use for what is their own fault (5xx). */
export type SpecCode =
  | 'BLOB_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS'
  | 'UNAVAILABLE'
  | 'UNKNOWN';

export interface Refusal {
  readonly status: number;
  readonly code: SpecCode;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal that says itself how it is answered. */
export class SpecError extends CodedError {
  override readonly name = 'SpecError';
  readonly refusal: Refusal;

  constructor(code: ErrorCode, refusal: Refusal) {
    super(code, refusal.message);
    this.refusal = refusal;
  }
}

/** A request that is no good. */
export function badRequest(code: SpecCode, message: string, status = 400): SpecError {
  return new SpecError('INVALID_ARGUMENT', { status, code, message });
}

/** What was asked for, which decides how its absence is called. */
export type Asked = 'base' | 'manifest' | 'blob' | 'tags' | 'referrers';

const ABSENT = {
  base: 'UNSUPPORTED',
  manifest: 'MANIFEST_UNKNOWN',
  blob: 'BLOB_UNKNOWN',
  tags: 'NAME_UNKNOWN',
  referrers: 'MANIFEST_UNKNOWN',
} as const satisfies Record<Asked, SpecCode>;

/**
 * Every code's status. A runtime goes to the next host, in the end the registry itself, on each of them; 408 and 429 it
 * first tries again here, so these are said only when the registry said so.
 */
const STATUSES = {
  NOT_FOUND: [404, 'NAME_UNKNOWN'],
  ALREADY_EXISTS: [500, 'UNKNOWN'],
  // The request itself was checked before: this is what an upstream has and we do not take, such as schema 1.
  INVALID_ARGUMENT: [404, 'NAME_UNKNOWN'],
  FAILED_PRECONDITION: [502, 'UNKNOWN'],
  OUT_OF_RANGE: [416, 'UNSUPPORTED'],
  UNAVAILABLE: [503, 'UNAVAILABLE'],
  UNAUTHENTICATED: [401, 'UNAUTHORIZED'],
  PERMISSION_DENIED: [403, 'DENIED'],
  RESOURCE_EXHAUSTED: [503, 'UNAVAILABLE'],
  DATA_LOSS: [502, 'UNKNOWN'],
  CANCELLED: [503, 'UNAVAILABLE'],
  INTERNAL: [500, 'UNKNOWN'],
} as const satisfies Record<ErrorCode, readonly [number, SpecCode]>;

/** How an error is answered to a request for `asked`. */
export function refusalOf(error: unknown, asked: Asked): Refusal {
  if (error instanceof SpecError) return error.refusal;
  const code = codeOf(error);
  const [status, usual] = STATUSES[code];
  // What we did not foresee may quote anything; the log has it whole.
  const message = code === 'INTERNAL' && !(error instanceof CodedError) ? 'Internal error' : messageOf(error);
  return { status, code: status === 404 ? ABSENT[asked] : usual, message };
}

/** A registry's own "too often", as opposed to a bound of ours. */
export function fromOrigin(error: unknown): unknown {
  if (codeOf(error) !== 'RESOURCE_EXHAUSTED') return error;
  return new SpecError('RESOURCE_EXHAUSTED', { status: 429, code: 'TOOMANYREQUESTS', message: messageOf(error) });
}

/** `{ "errors": [{ "code", "message", "detail" }] }` */
export function refusalBody({ code, message }: Refusal): Buffer {
  return Buffer.from(`${JSON.stringify({ errors: [{ code, message, detail: null }] })}\n`);
}
