import { describe, expect, it } from '@jest/globals';
import { formatHostPort, isLoopback, isSameListener, parseHostPort } from './config-address.ts';

describe('parseHostPort()', () => {
  it.each([
    ['127.0.0.1:7950', '127.0.0.1', 7950],
    ['[::1]:7950', '::1', 7950],
    ['node-a.zone:0', 'node-a.zone', 0],
    ['localhost:65535', 'localhost', 65_535],
  ])('%s is an address, and back', (text, host, port) => {
    expect(parseHostPort(text)).toEqual({ host, port });
    expect(formatHostPort({ host, port })).toBe(text);
  });

  it.each([
    '',
    ':80',
    '127.0.0.1',
    '127.0.0.1:',
    'a:65536',
    '::1:80',
    '[::1]',
    '[a]:80',
    '256.1.1.1:80',
    '10.0.0:80',
    'a b:80',
    '-a:80',
    'http://a:80',
    'a:80/x',
  ])('refuses %j', (text) => expect(() => parseHostPort(text)).toThrow(/is not HOST:PORT/));
});

describe('isLoopback()', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['127.evil.example', false],
    ['10.0.0.1', false],
  ])('of %s is %s', (host, expected) => expect(isLoopback(host)).toBe(expected));
});

describe('isSameListener()', () => {
  it('is true for one port on one or on every address', () => {
    const [a, b, all, zero] = ['127.0.0.1:1', '127.0.0.2:1', '0.0.0.0:1', '127.0.0.1:0'].map(parseHostPort);
    if (a === undefined || b === undefined || all === undefined || zero === undefined) throw new Error('unreachable');
    expect([isSameListener(a, a), isSameListener(a, b), isSameListener(b, all), isSameListener(zero, zero)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });
});
