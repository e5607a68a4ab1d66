import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addressFromBytes, addressToBytes, canonicalAddress } from './ip-address.ts';

describe('canonicalAddress()', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:a00:1', '10.0.0.1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['fe80::1%eth0', 'fe80::1'],
    ['node-a', undefined],
    ['', undefined],
  ])('makes %s into %s', (text, wanted) => {
    expect(canonicalAddress(text)).toBe(wanted);
  });

  it('is the inverse of addressToBytes() when any bytes are an address', () => {
    const sizes = [4, 16].map((length) => fc.uint8Array({ minLength: length, maxLength: length }));
    fc.assert(
      fc.property(fc.oneof(...sizes), (bytes) => {
        const text = addressFromBytes(bytes);
        expect(addressFromBytes(addressToBytes(text))).toBe(text);
        expect(canonicalAddress(text)).toBe(text);
      }),
    );
  });

  it('addressFromBytes() refuses when there are neither 4 nor 16 bytes', () => {
    expect(() => addressFromBytes(new Uint8Array(5))).toThrow('5 bytes');
    expect(addressFromBytes(new Uint8Array(0))).toBe('');
  });
});
