import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MsgpackReader } from './msgpack-reader.ts';
import { MsgpackWriter } from './msgpack-writer.ts';
import { WireFault } from './wire-fault.ts';

const reader = (hex: string) => new MsgpackReader(Buffer.from(hex, 'hex'));

describe('MsgpackReader', () => {
  it('uint() takes every integer form when the number is not negative', () => {
    for (const [hex, value] of [
      ['05', 5],
      ['ccff', 255],
      ['cd0100', 256],
      ['ce00010000', 65_536],
      ['cf0000000100000000', 2 ** 32],
      ['d07f', 127],
      ['d10100', 256],
      ['d200010000', 65_536],
      ['d30000000000000001', 1],
      ['c0', 0],
    ] as const) {
      expect(reader(hex).uint(Number.MAX_SAFE_INTEGER)).toBe(value);
    }
  });

  it.each(['ff', 'd0ff', 'd3ffffffffffffffff', 'cfffffffffffffffff', 'a0', 'cb3ff0000000000000', 'cd0100'])(
    'uint() refuses when the value is 0x%s and 255 is the most',
    (hex) => {
      expect(() => reader(hex).uint(255)).toThrow(WireFault);
    },
  );

  it('text() and bytes() take raw, str and bin when they are short enough', () => {
    for (const hex of ['a161', 'd90161', 'da000161', 'db0000000161', 'c40161', 'c5000161', 'c60000000161']) {
      expect(reader(hex).text(1)).toBe('a');
      expect([...reader(hex).bytes(1)]).toEqual([0x61]);
    }
    expect(() => reader('a26161').text(1)).toThrow('2 bytes where 1 are allowed');
    expect(() => reader('dbffffffff').bytes(10)).toThrow(WireFault);
    expect(() => reader('a561').text(10)).toThrow('ends too early');
  });

  it('skip() passes over exactly one value whatever it is', () => {
    for (const hex of [
      'c0',
      'c3',
      '7f',
      'e0',
      'ca00000000',
      'd400ff',
      'c70201aabb',
      '82a16101a16292c0c2',
      'dc000100',
      'de0000',
    ]) {
      const both = reader(`${hex}2a`);
      both.skip();
      expect(both.uint(255)).toBe(42);
    }
  });

  it('skip() ends early when lengths lie or values nest too deep', () => {
    expect(() => reader('ddffffffff00').skip()).toThrow(WireFault);
    expect(() => reader('dfffffffff00').skip()).toThrow(WireFault);
    expect(() => reader('91'.repeat(200)).skip()).toThrow('Nested deeper');
  });

  it('reads back what the writer wrote when values are of any size', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.uint8Array({ maxLength: 70_000 }), fc.boolean(), (number, bytes, flag) => {
        const written = new MsgpackWriter().uint(number).bytes(bytes).bool(flag).map(20).array(70_000).nil().finish();
        const read = new MsgpackReader(written);
        expect(read.uint(Number.MAX_SAFE_INTEGER)).toBe(number);
        expect(Buffer.compare(read.bytes(70_000), bytes)).toBe(0);
        expect(read.bool()).toBe(flag);
        expect([read.mapSize(), read.arraySize(), read.mapSize()]).toEqual([20, 70_000, 0]);
      }),
      { numRuns: 200 },
    );
  });
});
