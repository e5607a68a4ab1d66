import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isCode } from '../../core/runtime/errors.ts';
import { decodeDigestRequest, decodeReadRequest, decodeWriteRequest } from './codec.ts';
import { loadContentMethods, loadPlainMethods } from './content-methods.ts';

const ours = loadContentMethods();
const theirs = loadPlainMethods();

const int64 = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, 127, 128, 2 ** 28, 2 ** 32, 2 ** 53 - 1, -1),
);
const text = fc.string({ unit: 'grapheme', maxLength: 60 });
const bytes = fc.uint8Array({ maxLength: 400 }).map((value) => Buffer.from(value));
const timestamp = fc.record({ seconds: int64, nanos: fc.integer({ min: 0, max: 999_999_999 }) });
const labels = fc.dictionary(text, text, { maxKeys: 5, noNullPrototype: true });

describe('codec against proto-loader', () => {
  it('decodeReadRequest() reads what proto-loader writes', () => {
    fc.assert(
      fc.property(fc.record({ digest: text, offset: int64, size: int64 }), (request) => {
        const wire = theirs.read.requestSerialize(request);
        expect(decodeReadRequest(wire)).toEqual(theirs.read.requestDeserialize(wire));
      }),
    );
  });

  it('decodeWriteRequest() reads what proto-loader writes', () => {
    const request = fc.record({
      action: fc.integer({ min: 0, max: 2 }),
      ref: text,
      total: int64,
      expected: text,
      offset: int64,
      data: bytes,
      labels,
    });
    fc.assert(
      fc.property(request, (message) => {
        const wire = theirs.write.requestSerialize({ ...message, labels: message.labels as never });
        const { labels: read, ...rest } = decodeWriteRequest(wire);
        const { labels: expected, ...expectedRest } = theirs.write.requestDeserialize(wire);
        expect(rest).toEqual(expectedRest);
        expect(Object.fromEntries(read ?? [])).toEqual({ ...expected });
        expect(read === undefined).toBe(Object.keys(message.labels).length === 0);
      }),
    );
  });

  it('encodeReadResponse() writes what proto-loader reads', () => {
    fc.assert(
      fc.property(fc.record({ offset: int64, data: bytes }), (response) => {
        expect(theirs.read.responseDeserialize(ours.read.responseSerialize(response))).toEqual(response);
      }),
    );
  });

  it('encodeWriteResponse() writes what proto-loader reads', () => {
    const response = fc.record({
      action: fc.integer({ min: 0, max: 2 }),
      startedAt: fc.option(timestamp, { nil: undefined }),
      updatedAt: fc.option(timestamp, { nil: undefined }),
      offset: int64,
      total: int64,
      digest: text,
    });
    fc.assert(
      fc.property(response, (message) => {
        const read = theirs.write.responseDeserialize(ours.write.responseSerialize(message));
        expect(read).toEqual({
          ...message,
          startedAt: message.startedAt ?? null,
          updatedAt: message.updatedAt ?? null,
        });
      }),
    );
  });

  it('encodeInfoResponse() writes what proto-loader reads', () => {
    const info = fc.record({ digest: text, size: int64, createdAt: timestamp, updatedAt: timestamp, labels });
    fc.assert(
      fc.property(info, (message) => {
        const read = theirs.info.responseDeserialize(ours.info.responseSerialize({ info: message })).info;
        expect({ ...read, labels: { ...read.labels } }).toEqual(message);
      }),
    );
  });

  it('passes over fields that a later version may add', () => {
    const later = Buffer.from([0x78, 1, 0x7a, 2, 65, 66, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7d, 1, 2, 3, 4]);
    const known = theirs.read.requestSerialize({ digest: 'd', offset: 3, size: 4 });
    expect(decodeReadRequest(Buffer.concat([later, known, later]))).toEqual({ digest: 'd', offset: 3, size: 4 });
  });

  it.each([
    ['cut off', Buffer.from([10, 5, 65])],
    ['length beyond all bounds', Buffer.from([10, 0xff, 0xff, 0xff, 0xff, 0x0f])],
    ['endless number', Buffer.alloc(20, 0xff)],
    ['group', Buffer.from([11])],
    ['field zero', Buffer.from([2, 0])],
  ])('refuses a message that is malformed: %s', (_name, wire) => {
    for (const decode of [decodeReadRequest, decodeWriteRequest, decodeDigestRequest]) {
      expect(() => decode(wire)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
  });

  it('never throws anything but INVALID_ARGUMENT on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (wire) => {
        for (const decode of [decodeReadRequest, decodeWriteRequest, decodeDigestRequest]) {
          try {
            decode(Buffer.from(wire));
          } catch (error) {
            expect(isCode(error, 'INVALID_ARGUMENT')).toBe(true);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});
