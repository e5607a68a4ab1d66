/** What containerd's refusals mean to us: the one table of this edge. */
import { type ServiceError, status } from '@grpc/grpc-js';
import { CodedError, type ErrorCode } from '../../core/runtime/errors.ts';

/** gRPC status (google.golang.org/grpc/codes) to our kinds. A deadline that passed may be met later. */
const CODES = {
  [status.OK]: 'INTERNAL',
  [status.CANCELLED]: 'CANCELLED',
  [status.UNKNOWN]: 'INTERNAL',
  [status.INVALID_ARGUMENT]: 'INVALID_ARGUMENT',
  [status.DEADLINE_EXCEEDED]: 'UNAVAILABLE',
  [status.NOT_FOUND]: 'NOT_FOUND',
  [status.ALREADY_EXISTS]: 'ALREADY_EXISTS',
  [status.PERMISSION_DENIED]: 'PERMISSION_DENIED',
  [status.RESOURCE_EXHAUSTED]: 'RESOURCE_EXHAUSTED',
  [status.FAILED_PRECONDITION]: 'FAILED_PRECONDITION',
  [status.ABORTED]: 'UNAVAILABLE',
  [status.OUT_OF_RANGE]: 'OUT_OF_RANGE',
  [status.UNIMPLEMENTED]: 'FAILED_PRECONDITION',
  [status.INTERNAL]: 'INTERNAL',
  [status.UNAVAILABLE]: 'UNAVAILABLE',
  [status.DATA_LOSS]: 'DATA_LOSS',
  [status.UNAUTHENTICATED]: 'UNAUTHENTICATED',
} satisfies Record<status, ErrorCode>;

/** A failed call as an error of ours; `path` is the call's, e.g. `/containerd.services.content.v1.Content/Info`. */
export function fromServiceError(error: ServiceError, path: string): CodedError {
  return new CodedError(CODES[error.code], `Call "${path}" to containerd failed: ${error.details}`, { cause: error });
}
