import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseRange } from './range-header.ts';

const WHOLE = { kind: 'whole' };
const parts = (...list: [number, number][]) => ({
  kind: 'parts',
  parts: list.map(([start, end]) => ({ start, end })),
});

describe('parseRange()', () => {
  it.each([
    [undefined, WHOLE],
    ['', WHOLE],
    ['bytes=', WHOLE],
    ['bytes=-', WHOLE],
    ['bytes=a-b', WHOLE],
    ['bytes=5-4', WHOLE],
    ['bytes=0-1,x', WHOLE],
    ['lines=0-1', WHOLE],
    ['bytes 0-1', WHOLE],
    ['bytes=0-0', parts([0, 1])],
    ['bytes=0-', parts([0, 100])],
    ['bytes=90-1000', parts([90, 100])],
    ['bytes=-10', parts([90, 100])],
    ['bytes=-1000', parts([0, 100])],
    ['bytes=0-1, ,5-6', parts([0, 2], [5, 7])],
    ['bytes=50-,0-9', parts([50, 100], [0, 10])],
    ['bytes=100-', { kind: 'none' }],
    ['bytes=-0', { kind: 'none' }],
    ['bytes=0-1,200-', parts([0, 2])],
    ['bytes=0-,0-,0-,0-', WHOLE],
    [`bytes=${Array.from({ length: 33 }, (_, at) => `${at}-${at}`).join()}`, WHOLE],
    ['bytes=99999999999999999999-', WHOLE],
  ])('of %j is %j', (header, expected) => {
    expect(parseRange(header, 100)).toEqual(expected);
  });

  it('of nothing is nothing', () => {
    expect(parseRange('bytes=0-', 0)).toEqual({ kind: 'none' });
    expect(parseRange('bytes=-5', 0)).toEqual({ kind: 'none' });
  });

  it('gives only parts of the whole, whatever it is given', () => {
    const spec = fc.oneof(
      fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `${a}-${b}`),
      fc.nat().map((a) => `-${a}`),
      fc.nat().map((a) => `${a}-`),
      fc.string({ maxLength: 5 }),
    );
    const header = fc.array(spec, { maxLength: 40 }).map((specs) => `bytes=${specs.join(',')}`);
    fc.assert(
      fc.property(header, fc.nat(10_000), (text, size) => {
        const found = parseRange(text, size);
        if (found.kind !== 'parts') return;
        expect(found.parts.length).toBeGreaterThan(0);
        for (const { start, end } of found.parts) expect(0 <= start && start < end && end <= size).toBe(true);
      }),
    );
  });
});
