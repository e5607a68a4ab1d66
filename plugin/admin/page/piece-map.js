/** A line of cells that shows which pieces of a blob are there. */
import { el } from './dom.js';

/**
 * @param {string} map one digit a cell, 0 nothing to 9 all of it
 * @param {string} label @param {boolean} [isThin]
 */
export function pieceMap(map, label, isThin = false) {
  const element = el(isThin ? 'div.map.thin' : 'div.map', { role: 'img', 'aria-label': label });
  element.style.backgroundImage = `${cellEdges(map.length)}${gradientOf(map)}`;
  return element;
}

/** Runs of one level as hard stops; the colours are the theme's own, so that they change with it. @param {string} map */
export function gradientOf(map) {
  /** @type {string[]} */ const stops = [];
  for (let start = 0; start < map.length; ) {
    let end = start + 1;
    while (end < map.length && map[end] === map[start]) end += 1;
    const from = ((start / map.length) * 100).toFixed(2);
    const to = ((end / map.length) * 100).toFixed(2);
    stops.push(`${colourOf(Number(map[start]))} ${from}% ${to}%`);
    start = end;
  }
  return stops.length === 0 ? 'none' : `linear-gradient(to right, ${stops.join(', ')})`;
}

/** @param {number} level */
function colourOf(level) {
  if (level === 0) return 'transparent';
  return level === 9 ? 'var(--accent)' : `color-mix(in srgb, var(--accent) ${15 + level * 8}%, var(--cell))`;
}

/** As many cells as can be told apart have an edge. */
const EDGED_CELLS_MAX = 60;

/** @param {number} cells */
function cellEdges(cells) {
  if (cells < 2 || cells > EDGED_CELLS_MAX) return '';
  const width = `${100 / cells}%`;
  return `repeating-linear-gradient(to right, transparent 0 calc(${width} - 1px), var(--card) calc(${width} - 1px) ${width}), `;
}

/** How much of it is there, from 0 to 1. @param {string} map */
export function shareOf(map) {
  if (map.length === 0) return 1;
  return [...map].reduce((sum, digit) => sum + Number(digit), 0) / (map.length * 9);
}
