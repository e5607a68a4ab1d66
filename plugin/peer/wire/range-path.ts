/**
 * A range of a blob as a resource of its own: `GET /v1/blobs/sha256:<hex>/<start>-<end>`, half-open. Its bytes are those of the range, then
 * the range's SHA-256 (32 bytes), so that length and framing are known beforehand and nothing is hashed before it is sent.
 */
import { parseDigest } from '../../../core/oci/digest.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import type { RangeRequest } from '../peer.ts';

export const BLOBS_PREFIX = '/v1/blobs/';
export const SHA256_BYTES = 32;

/** Far above any piece; one request must not keep a connection for long. */
export const RANGE_BYTES_MAX = 1024 * 1024 * 1024;

const PATH = /^\/v1\/blobs\/(sha256:[0-9a-f]{64})\/(0|[1-9][0-9]{0,15})-([1-9][0-9]{0,15})$/;

export function rangePath({ digest, range }: RangeRequest): string {
  return `${BLOBS_PREFIX}${digest}/${range.start}-${range.end}`;
}

/** @throws CodedError INVALID_ARGUMENT when it is anything else, empty, or longer than `RANGE_BYTES_MAX` */
export function parseRangePath(path: string): RangeRequest {
  const [, digest = '', start = '', end = ''] = PATH.exec(path) ?? [];
  const range = { start: Number(start), end: Number(end) };
  const bytes = range.end - range.start;
  if (digest === '' || !Number.isSafeInteger(range.end) || !(bytes > 0) || bytes > RANGE_BYTES_MAX) {
    throw new CodedError('INVALID_ARGUMENT', `"${path.slice(0, 200)}" is not a range of a blob`);
  }
  return { digest: parseDigest(digest), range };
}
