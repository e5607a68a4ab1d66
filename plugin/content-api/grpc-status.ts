/**
 * Our kinds of failure as gRPC status codes, by which containerd's `errdefs` tells them apart (`errgrpc.ToNative`).
 * Numbers: https://grpc.github.io/grpc/core/md_doc_statuscodes.html
 */
import { codeOf, type ErrorCode, messageOf } from '../../core/runtime/errors.ts';

const GRPC_CODES = {
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  INVALID_ARGUMENT: 3,
  FAILED_PRECONDITION: 9,
  OUT_OF_RANGE: 11,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  DATA_LOSS: 15,
  CANCELLED: 1,
  INTERNAL: 13,
} as const satisfies Record<ErrorCode, number>;

export const GRPC_OK = 0;
export const GRPC_UNIMPLEMENTED = 12;

/** Characters of a status message; it travels in a header, and a caller's own text may be quoted in it. */
export const STATUS_MESSAGE_MAX = 1024;

export interface GrpcStatus {
  readonly code: number;
  readonly details: string;
}

/** Any thrown value as a status: bounded, on one line, without control characters. */
export function grpcStatusOf(error: unknown): GrpcStatus {
  return { code: GRPC_CODES[codeOf(error)], details: cleanMessage(messageOf(error)) };
}

function cleanMessage(text: string): string {
  const bounded = text.length > STATUS_MESSAGE_MAX ? `${text.slice(0, STATUS_MESSAGE_MAX - 1)}…` : text;
  return bounded.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]+/gu, ' ');
}
