/** What the process answers when it ends; scripts rely on these. */
import { type ErrorCode, codeOf } from '../core/runtime/errors.ts';

export const EXIT = { done: 0, failed: 1, wrongUsage: 2, doneInPart: 3 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const EXIT_OF_CODE = {
  INVALID_ARGUMENT: EXIT.wrongUsage,
  NOT_FOUND: EXIT.failed,
  ALREADY_EXISTS: EXIT.failed,
  FAILED_PRECONDITION: EXIT.failed,
  OUT_OF_RANGE: EXIT.failed,
  UNAVAILABLE: EXIT.failed,
  UNAUTHENTICATED: EXIT.failed,
  PERMISSION_DENIED: EXIT.failed,
  RESOURCE_EXHAUSTED: EXIT.failed,
  DATA_LOSS: EXIT.failed,
  CANCELLED: EXIT.failed,
  INTERNAL: EXIT.failed,
} as const satisfies Record<ErrorCode, ExitCode>;

/** The exit code of a command that threw. */
export function exitCodeOf(error: unknown): ExitCode {
  return EXIT_OF_CODE[codeOf(error)];
}
