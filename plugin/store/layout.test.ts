import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseDigest } from '../../core/oci/digest.ts';
import { Layout, pinDirectoryName, pinNameOf } from './layout.ts';

describe('Layout', () => {
  const layout = new Layout('/root');

  it('held() and ingest() name what containerd names', () => {
    const digest = parseDigest(`sha256:${'ab'.repeat(32)}`);
    expect(layout.held('containerd', digest)).toBe(`/root/blobs/sha256/${'ab'.repeat(32)}`);
    expect(layout.held('cache', digest)).toBe(`/root/shoal/cache/${'ab'.repeat(32)}`);
    // sha256("hello"), as go-digest's FromString computes it.
    const hello = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
    expect(layout.ingest('hello')).toBe(`/root/ingest/${hello}`);
  });

  it('ingest() stays in its directory whatever the ref', () => {
    fc.assert(fc.property(fc.string(), (ref) => /^\/root\/ingest\/[0-9a-f]{64}$/.test(layout.ingest(ref))));
  });
});

describe('pinDirectoryName()', () => {
  it('makes one file name that pinNameOf() reads back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
        const directory = pinDirectoryName(name);
        expect(directory).not.toMatch(/\/|^\.|\0/);
        expect(pinNameOf(directory)).toBe(name);
      }),
    );
  });

  it('is not taken from names that it did not make', () => {
    for (const name of ['.hidden', 'a%2', 'a b', '..']) expect(pinNameOf(name)).toBeUndefined();
  });
});
