/** Whatever comes over the wire ends as a value or as an error of ours. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { digestOf } from '../../../core/oci/digest.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import { parseCallHead } from './call-head.ts';
import { parseRangePath, rangePath } from './range-path.ts';
import { parseResponseHead } from './response-head.ts';
import { fromWire } from './status.ts';

const RUNS = { numRuns: 25_000 };

function codedOnly(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(CodedError);
  }
}

/** `valid` with something else in one place. */
const mutated = (valid: string) =>
  fc
    .tuple(fc.nat(valid.length), fc.string({ unit: 'binary', maxLength: 8 }), fc.nat(8))
    .map(([at, put, cut]) => valid.slice(0, at) + put + valid.slice(at + cut));

describe('the wire', () => {
  it('parseResponseHead() survives random and mutated heads', () => {
    const valid = 'HTTP/1.1 200 OK\r\nContent-Type: application/proto\r\nContent-Length: 42\r\nConnection: keep-alive';
    fc.assert(
      fc.property(fc.oneof(mutated(valid), fc.string({ unit: 'binary' })), (text) =>
        codedOnly(() => parseResponseHead(text)),
      ),
      RUNS,
    );
  });

  it('parseRangePath() gives only ranges that it would write itself', () => {
    const valid = rangePath({ digest: digestOf('x'), range: { start: 4096, end: 8192 } });
    fc.assert(
      fc.property(fc.oneof(mutated(valid), fc.string({ unit: 'binary' })), (path) =>
        codedOnly(() => expect(rangePath(parseRangePath(path))).toBe(path)),
      ),
      RUNS,
    );
  });

  it('parseCallHead() survives random fields', () => {
    const fields = fc.record(
      {
        'content-type': fc.oneof(fc.constant('application/proto'), fc.string()),
        'content-length': fc.oneof(fc.nat().map(String), fc.string()),
        'connect-timeout-ms': fc.oneof(fc.nat().map(String), fc.string()),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fields, (headers) =>
        codedOnly(() => expect(parseCallHead(headers, 1e6).bodyBytes).toBeLessThanOrEqual(1e6)),
      ),
      RUNS,
    );
  });

  it('fromWire() makes an error of anything', () => {
    const texts = fc.oneof(mutated('{"code":"not_found","message":"x"}'), fc.json(), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(texts, (text) => {
        expect(fromWire(Buffer.from(text), { peer: 'p', status: 500 })).toBeInstanceOf(CodedError);
      }),
      RUNS,
    );
  });
});
