import { status } from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import { CodedError, ERROR_CODES } from '../../core/runtime/errors.ts';
import { grpcStatusOf, STATUS_MESSAGE_MAX } from './grpc-status.ts';

describe('grpcStatusOf()', () => {
  it.each(ERROR_CODES)('gives %s the number that gRPC has for it', (code) => {
    expect(grpcStatusOf(new CodedError(code, 'text'))).toEqual({ code: status[code], details: 'text' });
  });

  it('is INTERNAL for what nobody foresaw and CANCELLED for an abort', () => {
    expect(grpcStatusOf(new Error('odd')).code).toBe(status.INTERNAL);
    expect(grpcStatusOf(Object.assign(new Error('over'), { name: 'AbortError' })).code).toBe(status.CANCELLED);
  });

  it('keeps messages short, on one line and without control characters', () => {
    const { details } = grpcStatusOf(new CodedError('INTERNAL', `a\r\nb\0\u202e\ud800c${'x'.repeat(5000)}`));
    expect(details.startsWith('a b c')).toBe(true);
    expect(details.length).toBeLessThanOrEqual(STATUS_MESSAGE_MAX);
  });
});
