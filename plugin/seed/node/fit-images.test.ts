import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../../core/oci/digest.ts';
import { unfitImages } from './fit-images.ts';

const [a, b, c] = ['a', 'b', 'c'].map(digestOf);
const lack = (image: number, ...missing: [string | undefined, number][]) => ({
  image,
  missing: missing.map(([digest, bytes]) => ({ digest: digestOf(digest ?? ''), bytes })),
});

describe('unfitImages()', () => {
  it.each([
    ['all fit', 100, undefined, []],
    ['the first ones win', 50, undefined, [1]],
    ['what is capped', 100, 45, [1]],
    ['nothing fits', 5, undefined, [0, 1, 2]],
  ])('%s', (_name, bytes, maxBytes, expected) => {
    const lacks = [lack(0, [a, 20]), lack(1, [b, 40]), lack(2, [c, 25])];
    expect([...unfitImages(lacks, { bytes, maxBytes }).keys()]).toEqual(expected);
  });

  it('counts a blob of several images once', () => {
    const lacks = [lack(0, [a, 20]), lack(1, [a, 20], [b, 10])];
    expect(unfitImages(lacks, { bytes: 30 }).size).toBe(0);
  });

  it('an image that lacks nothing fits on a full disk', () => {
    expect(unfitImages([lack(0)], { bytes: 0, maxBytes: 0 }).size).toBe(0);
  });
});
