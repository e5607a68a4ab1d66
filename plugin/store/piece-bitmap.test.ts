import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteRanges } from './byte-ranges.ts';
import {
  decodePieces,
  encodePieces,
  PIECE_COUNT_MAX,
  pieceSizeFor,
  rangesOfPieces,
  wholePieces,
} from './piece-bitmap.ts';

const MIB = 1024 * 1024;
const blob = fc.record({ sizeBytes: fc.nat(5000), pieceSizeBytes: fc.integer({ min: 1, max: 300 }) });
const spans = fc.array(fc.tuple(fc.nat(5000), fc.nat(800)), { maxLength: 12 });

function presentOf(sizeBytes: number, added: ReadonlyArray<readonly [number, number]>): ByteRanges {
  const present = new ByteRanges();
  for (const [start, length] of added) present.add(Math.min(sizeBytes, start), Math.min(sizeBytes, start + length));
  return present;
}

describe('pieceSizeFor()', () => {
  it.each([
    ['nothing', 0, 1],
    ['512 MiB', 512 * MIB, 1],
    ['a byte more', 512 * MIB + 1, 2],
    ['1 GiB', 1024 * MIB, 2],
    ['a byte more', 1024 * MIB + 1, 4],
    ['32 GiB', 32 * 1024 * MIB, 4],
    ['a byte more', 32 * 1024 * MIB + 1, 8],
  ])('gives %s (%d bytes) pieces of %d MiB', (_, size, pieceMib) => {
    expect(pieceSizeFor(size)).toBe(pieceMib * MIB);
  });

  it('never makes more pieces than a message may tell of, and never smaller ones for a larger blob', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (size) => {
        expect(Math.ceil(size / pieceSizeFor(size))).toBeLessThanOrEqual(PIECE_COUNT_MAX);
        expect(pieceSizeFor(Math.floor(size / 3))).toBeLessThanOrEqual(pieceSizeFor(size));
      }),
    );
  });
});

describe('wholePieces()', () => {
  it('promises only bytes that are present, and every piece that is whole', () => {
    fc.assert(
      fc.property(blob, spans, ({ sizeBytes, pieceSizeBytes }, added) => {
        const present = presentOf(sizeBytes, added);
        const promised = rangesOfPieces({
          sizeBytes,
          pieceSizeBytes,
          bits: wholePieces(present, sizeBytes, pieceSizeBytes),
        });
        for (let start = 0; start < sizeBytes; start += pieceSizeBytes) {
          const end = Math.min(sizeBytes, start + pieceSizeBytes);
          expect(promised.covers(start, end)).toBe(present.covers(start, end));
        }
        expect(promised.bytes).toBeLessThanOrEqual(present.bytes);
      }),
    );
  });
});

describe('decodePieces()', () => {
  it('reads back what encodePieces() wrote', () => {
    fc.assert(
      fc.property(blob, spans, ({ sizeBytes, pieceSizeBytes }, added) => {
        const bits = wholePieces(presentOf(sizeBytes, added), sizeBytes, pieceSizeBytes);
        const decoded = decodePieces(encodePieces({ sizeBytes, pieceSizeBytes, bits }));
        expect(decoded && { ...decoded, bits: [...decoded.bits] }).toEqual({
          sizeBytes,
          pieceSizeBytes,
          bits: [...bits],
        });
      }),
    );
  });

  it('refuses a file with any byte changed, cut or added', () => {
    const bits = new Uint8Array([0b1010_0000]);
    const file = encodePieces({ sizeBytes: 1000, pieceSizeBytes: 300, bits });
    for (let at = 0; at < file.length; at += 1) {
      const changed = Uint8Array.from(file);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      expect(decodePieces(changed)).toBeUndefined();
      expect(decodePieces(file.subarray(0, at))).toBeUndefined();
    }
    expect(decodePieces(Buffer.concat([file, Buffer.alloc(1)]))).toBeUndefined();
  });

  it('refuses any bytes at all that it did not write', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => decodePieces(bytes) === undefined));
  });
});
