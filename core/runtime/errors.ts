/**
 * The closed list of what can go wrong, in containerd's own kinds (containerd `errdefs`, gRPC status codes).
 * Each edge maps every code once, in one table typed `satisfies Record<ErrorCode, …>`.
 */

/** Every kind of failure that crosses a module's seam. */
export const ERROR_CODES = [
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'INVALID_ARGUMENT',
  'FAILED_PRECONDITION',
  'OUT_OF_RANGE',
  'UNAVAILABLE',
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'DATA_LOSS',
  'CANCELLED',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/**
 * An error with a kind. Messages: sentence case, no full stop, name the action, quote values, give the current and
 * the wanted state.
 */
export class CodedError extends Error {
  override readonly name: string = 'CodedError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The code of any thrown value: a CodedError's own, CANCELLED for an abort, INTERNAL for anything unforeseen. */
export function codeOf(error: unknown): ErrorCode {
  if (error instanceof CodedError) return error.code;
  if (error instanceof Error && error.name === 'AbortError') return 'CANCELLED';
  return 'INTERNAL';
}

/** True when `error` is of one of `codes`. */
export function isCode(error: unknown, ...codes: ErrorCode[]): boolean {
  return codes.includes(codeOf(error));
}

/** The text of any thrown value, for logs and for messages that wrap it. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The errno name (`ENOENT`, `ENOSPC`, …) of a system error; undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  // Not `instanceof`: an error of Node's own may come from another realm than this module (as in jest).
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}

/**
 * A file system's refusal in our own kinds: a full disk or quota is RESOURCE_EXHAUSTED, a read-only one or missing
 * rights FAILED_PRECONDITION, an absent file NOT_FOUND; the rest INTERNAL. `action` names what was tried.
 */
export function fromErrno(error: unknown, action: string): CodedError {
  if (error instanceof CodedError) return error;
  const codes: Record<string, ErrorCode> = {
    ENOENT: 'NOT_FOUND',
    EEXIST: 'ALREADY_EXISTS',
    ENOSPC: 'RESOURCE_EXHAUSTED',
    EDQUOT: 'RESOURCE_EXHAUSTED',
    EMFILE: 'RESOURCE_EXHAUSTED',
    ENFILE: 'RESOURCE_EXHAUSTED',
    EROFS: 'FAILED_PRECONDITION',
    EACCES: 'FAILED_PRECONDITION',
    EPERM: 'FAILED_PRECONDITION',
    EXDEV: 'FAILED_PRECONDITION',
  };
  return new CodedError(codes[errnoOf(error) ?? ''] ?? 'INTERNAL', `${action}: ${messageOf(error)}`, { cause: error });
}
