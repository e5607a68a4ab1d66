import { describe, expect, it } from '@jest/globals';
import { Keyring } from './keyring.ts';

const A = new Uint8Array(16).fill(1);
const B = new Uint8Array(32).fill(2);
const NONE = new Uint8Array(0);

describe('Keyring', () => {
  it('seals with the first key and opens with all of them when keys are rotated', () => {
    const old = new Keyring([A]);
    const between = new Keyring([B, A]);
    const sealed = old.seal(Buffer.from('hello'), NONE);
    expect(between.open(sealed, NONE).toString()).toBe('hello');
    expect(() => old.open(between.seal(Buffer.from('x'), NONE), NONE)).toThrow('No key');
    between.replace([B]);
    expect(() => between.open(sealed, NONE)).toThrow('No key');
  });

  it('open() refuses when a bit, the nonce or what is authenticated has changed', () => {
    const ring = new Keyring([A]);
    const sealed = ring.seal(Buffer.from('hello'), Buffer.from('label'));
    for (let at = 1; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => ring.open(changed, Buffer.from('label'))).toThrow('No key');
    }
    expect(() => ring.open(sealed, Buffer.from('other'))).toThrow('No key');
  });

  it('refuses when a key has a wrong size, there is none, or there are too many', () => {
    expect(() => new Keyring([new Uint8Array(17)])).toThrow('17 bytes');
    expect(() => new Keyring([])).toThrow('no key');
    expect(() => new Keyring(Array.from({ length: 17 }, () => A))).toThrow('17 keys');
  });
});
