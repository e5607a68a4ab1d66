import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { codeOf } from './errors.ts';
import {
  formatBytes,
  formatDuration,
  formatRate,
  parseBytes,
  parseDuration,
  parseRate,
  parseSizeOrShare,
  resolveSize,
} from './units.ts';

function failure(parse: () => unknown): { code: string; text: string } {
  try {
    return { code: 'none', text: String(parse()) };
  } catch (error) {
    return { code: codeOf(error), text: error instanceof Error ? error.message : '' };
  }
}

describe('parseBytes()', () => {
  it.each([
    ['0', 0],
    ['4096', 4096],
    ['12B', 12],
    ['50GiB', 50 * 2 ** 30],
    ['1.5 GiB', 1.5 * 2 ** 30],
    ['512MB', 512e6],
    ['1kB', 1000],
    ['2TiB', 2 * 2 ** 40],
  ])('%s is %d bytes', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  it.each(['', '-1', '5 apples', '1e9', '50Gib', '50G', 'GiB', '1 2', '99999999TiB', '1,5GiB', '0x10'])(
    'refuses %j',
    (text) => {
      expect(failure(() => parseBytes(text))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        text: expect.stringContaining(`"${text}"`),
      });
    },
  );
});

describe('parseSizeOrShare()', () => {
  it('takes sizes and shares', () => {
    expect(parseSizeOrShare('20%')).toEqual({ kind: 'share', share: 0.2 });
    expect(resolveSize(parseSizeOrShare('20%'), 1001)).toBe(200);
    expect(resolveSize(parseSizeOrShare('1KiB'), 10)).toBe(1024);
  });

  it.each(['0%', '101%', '%', '-5%'])('refuses %j', (text) => {
    expect(failure(() => parseSizeOrShare(text)).code).toBe('INVALID_ARGUMENT');
  });
});

describe('parseRate()', () => {
  it.each([
    ['200MiB/s', 200 * 2 ** 20],
    ['1kB/s', 1000],
    ['100Mbit/s', 12_500_000],
    ['100mbit', 12_500_000],
    ['1Gbit/s', 125_000_000],
  ])('%s is %d bytes a second', (text, rate) => expect(parseRate(text)).toBe(rate));

  it.each(['200MiB', '0MiB/s', '1bit', '5', '10/s', '', 'fast'])('refuses %j', (text) => {
    expect(failure(() => parseRate(text)).code).toBe('INVALID_ARGUMENT');
  });
});

describe('parseDuration()', () => {
  it.each([
    ['60s', 60_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
    ['1m30ms', 60_030],
    ['2d', 172_800_000],
    ['0s', 0],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '5', 's', '5 m', '30m1h', '1m1m', '-5s', '1h-5m', '5x', '1hour'])('refuses %j', (text) => {
    expect(failure(() => parseDuration(text))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      text: expect.stringContaining(`"${text}"`),
    });
  });
});

describe('what is formatted', () => {
  it('reads well', () => {
    expect([0, 1023, 1024, 1536, 1048575, 5e9, 2 ** 50].map(formatBytes)).toEqual([
      '0 B',
      '1023 B',
      '1 KiB',
      '1.5 KiB',
      '1 MiB',
      '4.7 GiB',
      '1024 TiB',
    ]);
    expect(formatRate(1536)).toBe('1.5 KiB/s');
    expect([0, 999, 60_000, 5_400_000].map(formatDuration)).toEqual(['0s', '999ms', '1m', '1h30m']);
  });

  it('can be parsed again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (value) => {
        expect(parseDuration(formatDuration(value))).toBe(value);
        expect(Math.abs(parseBytes(formatBytes(value)) - value)).toBeLessThanOrEqual(value * 0.06);
        if (value > 0) expect(parseRate(formatRate(value))).toBeGreaterThan(0);
      }),
    );
  });
});
