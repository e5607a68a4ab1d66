/** Which pieces of a blob are there, in a line short enough to be drawn and sent often. Pure. */

export const MAP_CELLS_MAX = 120;

/**
 * One digit a cell, the blob from its start to its end: 0 nothing of the cell's pieces, 9 all of them.
 * @param have one bit a piece, the first in the highest bit of the first byte
 */
export function pieceMap(have: Uint8Array, pieceCount: number): string {
  const cells = Math.min(pieceCount, MAP_CELLS_MAX);
  let map = '';
  for (let cell = 0; cell < cells; cell += 1) {
    const start = Math.floor((cell * pieceCount) / cells);
    const end = Math.floor(((cell + 1) * pieceCount) / cells);
    map += levelOf(countSet(have, start, end), end - start);
  }
  return map;
}

/** The mean of maps, cell by cell; those of another length are left out. "" of none. */
export function meanMap(maps: readonly string[]): string {
  const length = maps[0]?.length ?? 0;
  const alike = maps.filter((map) => map.length === length);
  return Array.from({ length }, (_, cell) => {
    const sum = alike.reduce((total, map) => total + Number(map[cell]), 0);
    return levelOf(sum, alike.length * 9);
  }).join('');
}

/** 9 only when nothing is missing, 0 only when nothing is there. */
function levelOf(there: number, all: number): number {
  if (there === 0 || all === 0) return 0;
  if (there === all) return 9;
  return Math.max(1, Math.min(8, Math.round((there / all) * 9)));
}

function countSet(have: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let piece = start; piece < end; piece += 1) {
    if (((have[piece >> 3] ?? 0) & (0x80 >> (piece & 7))) !== 0) count += 1;
  }
  return count;
}
