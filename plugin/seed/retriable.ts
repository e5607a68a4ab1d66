/** Whether the same seed may succeed later without anybody changing anything. Pure. */
import { type ErrorCode, codeOf } from '../../core/runtime/errors.ts';

const RETRIABLE = {
  NOT_FOUND: false,
  ALREADY_EXISTS: false,
  INVALID_ARGUMENT: false,
  FAILED_PRECONDITION: false,
  OUT_OF_RANGE: false,
  UNAVAILABLE: true,
  UNAUTHENTICATED: false,
  PERMISSION_DENIED: false,
  RESOURCE_EXHAUSTED: true,
  // Some source lied; another one may not.
  DATA_LOSS: true,
  CANCELLED: true,
  INTERNAL: true,
} as const satisfies Record<ErrorCode, boolean>;

export function isRetriable(error: unknown): boolean {
  return RETRIABLE[codeOf(error)];
}
