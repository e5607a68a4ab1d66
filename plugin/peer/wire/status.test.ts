import { describe, expect, it } from '@jest/globals';
import { CodedError, ERROR_CODES } from '../../../core/runtime/errors.ts';
import { ERROR_BYTES_MAX, fromWire, toWire } from './status.ts';

describe('toWire() and fromWire()', () => {
  it('carry every code but a cancellation, which is nobody else to decide', () => {
    for (const code of ERROR_CODES) {
      const { status, body } = toWire(new CodedError(code, 'Some reason'));
      const got = fromWire(body, { peer: 'node-a', status });
      expect(got.code).toBe(code === 'CANCELLED' ? 'UNAVAILABLE' : code);
    }
  });

  it('toWire() tells nothing of what nobody foresaw', () => {
    expect(toWire(new Error('/secret/path')).body.toString()).toBe('{"code":"internal","message":"Internal error"}');
  });

  it('toWire() stays within the bound of its reader', () => {
    const message = '\u0001'.repeat(100_000);
    expect(toWire(new CodedError('NOT_FOUND', message)).body.length).toBeLessThanOrEqual(ERROR_BYTES_MAX);
  });

  it.each(['', 'null', '[]', '{', '{"code":7}', '{"code":"NOT_FOUND"}', '"x"'])('fromWire() survives %s', (text) => {
    expect(fromWire(Buffer.from(text), { peer: 'node-a', status: 500 }).code).toBe('UNAVAILABLE');
  });

  it('fromWire() keeps control characters out of our logs', () => {
    const body = Buffer.from(JSON.stringify({ code: 'not_found', message: 'a\r\nb\u001b[2J' }));
    expect(fromWire(body, { peer: 'p', status: 404 }).message).toBe('Peer "p" answered 404: a b [2J');
  });
});
