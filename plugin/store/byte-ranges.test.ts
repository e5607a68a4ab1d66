import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteRanges } from './byte-ranges.ts';

const SIZE = 64;
const ranges = fc.array(
  fc.tuple(fc.nat(SIZE), fc.nat(SIZE)).map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const),
  { maxLength: 20 },
);

/** The same, one boolean a byte. */
function naive(added: ReadonlyArray<readonly [number, number]>): boolean[] {
  const present = new Array<boolean>(SIZE).fill(false);
  for (const [start, end] of added) present.fill(true, start, end);
  return present;
}

describe('ByteRanges', () => {
  it('add() counts bytes, ranges and the prefix as one boolean a byte would', () => {
    fc.assert(
      fc.property(ranges, (added) => {
        const subject = new ByteRanges();
        for (const [start, end] of added) subject.add(start, end);
        const present = naive(added);
        const firstAbsent = present.indexOf(false);
        expect(subject.bytes).toBe(present.filter(Boolean).length);
        expect(subject.prefixBytes()).toBe(firstAbsent < 0 ? SIZE : firstAbsent);
        expect(subject.count).toBe(present.filter((isThere, at) => isThere && present[at - 1] !== true).length);
      }),
    );
  });

  it('remove() takes out what was there, as one boolean a byte would', () => {
    fc.assert(
      fc.property(ranges, fc.nat(SIZE), fc.nat(SIZE), (added, from, to) => {
        const subject = new ByteRanges();
        for (const [start, end] of added) subject.add(start, end);
        subject.remove(from, to);
        const present = naive(added).fill(false, from, Math.max(from, to));
        expect(subject.bytes).toBe(present.filter(Boolean).length);
        expect(subject.count).toBe(present.filter((isThere, at) => isThere && present[at - 1] !== true).length);
        for (const [at, isThere] of present.entries()) expect(subject.covers(at, at + 1)).toBe(isThere);
      }),
    );
  });

  it('firstGap() finds the first run of absent bytes within bounds', () => {
    fc.assert(
      fc.property(ranges, fc.nat(SIZE), fc.nat(SIZE), (added, from, to) => {
        const subject = new ByteRanges();
        for (const [start, end] of added) subject.add(start, end);
        const present = naive(added);
        let start = from;
        while (start < to && present[start] === true) start += 1;
        let end = start;
        while (end < to && present[end] === false) end += 1;
        expect(subject.firstGap(from, to)).toEqual(start < to ? { start, end } : undefined);
        expect(subject.covers(from, to)).toBe(start >= to);
      }),
    );
  });
});
