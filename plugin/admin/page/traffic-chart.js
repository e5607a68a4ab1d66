/** Bytes from registries against bytes from other nodes and to readers, over the last half hour. */
import { byId, el } from './dom.js';
import { formatDuration, formatRate } from './format.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./store.js').Point} Point */

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 600;
const HEIGHT = 190;
const LEFT = 74;
const BOTTOM = 20;
const TOP = 8;
const SERIES = /** @type {const} */ ([
  ['registries', 'from registries'],
  ['peers', 'from other nodes'],
  ['served', 'served'],
]);

/** @param {Store} store */
export function showTraffic(store) {
  store.on(['traffic'], () => draw(store.traffic));
}

/** @param {Point[]} points */
function draw(points) {
  const last = points.at(-1);
  byId('traffic-legend').replaceChildren(
    ...SERIES.map(([key, name]) =>
      el('li', el(`span.swatch.${key}`), name, last !== undefined && el('b', formatRate(last[key]))),
    ),
  );
  if (points.length < 2 || last === undefined) {
    byId('traffic').replaceChildren(el('p.empty', 'A point comes every five seconds; the line begins in a moment.'));
    return;
  }
  byId('traffic').replaceChildren(chart(points, last));
}

/** @param {Point[]} points @param {Point} last */
function chart(points, last) {
  const top = niceTop(
    Math.max(1024, ...points.flatMap(({ registries, peers, served }) => [registries, peers, served])),
  );
  const fromMs = Math.min(points[0].at, last.at - 60_000);
  /** @param {number} at */
  const x = (at) => LEFT + ((at - fromMs) / (last.at - fromMs)) * (WIDTH - LEFT);
  /** @param {number} rate */
  const y = (rate) => TOP + (1 - rate / top) * (HEIGHT - TOP - BOTTOM);
  /** @param {'registries' | 'peers' | 'served'} key */
  const line = (key) =>
    points.map((point, at) => `${at === 0 ? 'M' : 'L'}${x(point.at).toFixed(1)} ${y(point[key]).toFixed(1)}`).join('');
  const label = SERIES.map(([key, name]) => `${formatRate(last[key])} ${name}`).join(', ');
  const root = svg('svg', {
    class: 'chart',
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: 'none',
    role: 'img',
    'aria-label': `Now ${label}`,
  });
  for (const share of [0, 0.5, 1]) {
    root.append(svg('line', { class: 'gridline', x1: LEFT, x2: WIDTH, y1: y(top * share), y2: y(top * share) }));
  }
  const area = `${line('peers')}L${x(last.at).toFixed(1)} ${y(0)}L${x(points[0].at).toFixed(1)} ${y(0)}Z`;
  root.append(svg('path', { class: 'area', d: area }));
  for (const [key] of [...SERIES].reverse()) root.append(svg('path', { class: key, d: line(key) }));
  return el('div.chart-box', root, axis(top, last.at - fromMs));
}

/** Words stand in HTML over the drawing, which is stretched. @param {number} top @param {number} spanMs */
function axis(top, spanMs) {
  const labels = [
    el('span.y.top', formatRate(top)),
    el('span.y.middle', formatRate(top / 2)),
    el('span.y.bottom', '0'),
    el('span.x.start', `${formatDuration(spanMs)} ago`),
    el('span.x.end', 'now'),
  ];
  return el('div.axis', { 'aria-hidden': 'true' }, ...labels);
}

/** The next round number above, in the units that are shown. @param {number} rate */
function niceTop(rate) {
  let unit = 1;
  while (rate / unit >= 1000) unit *= 1024;
  const value = rate / unit;
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
  return (steps.find((step) => step >= value) ?? 1024) * unit;
}

/** @param {string} name @param {Record<string, string | number>} attributes */
function svg(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}
