import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../../core/oci/digest.ts';
import { parseRangePath, RANGE_BYTES_MAX, rangePath } from './range-path.ts';

const DIGEST = digestOf('x');

describe('parseRangePath()', () => {
  it('reads what rangePath() writes', () => {
    const request = { digest: DIGEST, range: { start: 0, end: RANGE_BYTES_MAX } };
    expect(parseRangePath(rangePath(request))).toEqual(request);
  });

  it.each([
    '/',
    '/v1/blobs/',
    `/v1/blobs/${DIGEST}`,
    `/v1/blobs/${DIGEST}/5-5`,
    `/v1/blobs/${DIGEST}/6-5`,
    `/v1/blobs/${DIGEST}/-1-5`,
    `/v1/blobs/${DIGEST}/0-5?x`,
    `/v1/blobs/${DIGEST}/00-5`,
    `/v1/blobs/${DIGEST}/0-${RANGE_BYTES_MAX + 1}`,
    `/v1/blobs/${DIGEST}/9007199254740991-9007199254740993`,
    `/v1/blobs/${DIGEST.toUpperCase()}/0-5`,
    `/v1/blobs/../${DIGEST}/0-5`,
    `//v1/blobs/${DIGEST}/0-5`,
  ])('refuses %s', (path) => {
    expect(() => parseRangePath(path)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
