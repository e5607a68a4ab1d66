import { describe, expect, it } from '@jest/globals';
import { MAP_CELLS_MAX, meanMap, pieceMap } from './piece-map.ts';

describe('pieceMap()', () => {
  it('has a cell a piece while they are few', () => {
    expect(pieceMap(Uint8Array.of(0b1010_0000), 4)).toBe('9090');
  });

  it('gathers many pieces into few cells, full only when none is missing', () => {
    const have = new Uint8Array(150).fill(0xff);
    expect(pieceMap(have, 1_200)).toBe('9'.repeat(MAP_CELLS_MAX));
    have[0] = 0x7f;
    expect(pieceMap(have, 1_200)).toBe(`8${'9'.repeat(MAP_CELLS_MAX - 1)}`);
    have.fill(0);
    have[149] = 0x01;
    expect(pieceMap(have, 1_200)).toBe(`${'0'.repeat(MAP_CELLS_MAX - 1)}1`);
  });

  it('is empty for a blob without pieces', () => {
    expect(pieceMap(new Uint8Array(0), 0)).toBe('');
  });
});

describe('meanMap()', () => {
  it('is full only where all are, empty only where none is', () => {
    expect(meanMap(['990', '900', '900'])).toBe('930');
    expect(meanMap([])).toBe('');
  });

  it('leaves maps of another length out', () => {
    expect(meanMap(['99', '9'])).toBe('99');
  });
});
