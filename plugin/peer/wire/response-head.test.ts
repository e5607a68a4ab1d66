import { describe, expect, it } from '@jest/globals';
import { parseResponseHead } from './response-head.ts';

describe('parseResponseHead()', () => {
  it('reads what our own server sends', () => {
    const head =
      'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 42\r\nConnection: keep-alive';
    expect(parseResponseHead(head)).toEqual({
      status: 200,
      contentLength: 42,
      contentType: 'application/octet-stream',
      isLast: false,
    });
    expect(parseResponseHead('HTTP/1.1 401 \r\ncontent-length:0\r\nconnection: Close').isLast).toBe(true);
  });

  it.each([
    ['another protocol', 'HTTP/1.0 200 OK\r\nContent-Length: 1'],
    ['no status', 'HTTP/1.1 OK\r\nContent-Length: 1'],
    ['an interim status', 'HTTP/1.1 100 Continue\r\nContent-Length: 0'],
    ['no length', 'HTTP/1.1 200 OK'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1'],
    ['a signed length', 'HTTP/1.1 200 OK\r\nContent-Length: +1'],
    ['a length in hexadecimal', 'HTTP/1.1 200 OK\r\nContent-Length: 0x10'],
    ['a length beyond every blob', 'HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999'],
    ['a list of lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1, 1'],
    ['chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked'],
    ['a folded line', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n x'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 1'],
    ['a bare line break', 'HTTP/1.1 200 OK\nContent-Length: 1'],
    ['a control character', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX: a\0b'],
  ])('refuses %s', (_, text) => {
    expect(() => parseResponseHead(text)).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
  });
});
