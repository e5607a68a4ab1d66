/** The scale-outs that are coming, as the warmer told them, and how warm each one is. */
import { badge, bar, byId, el } from './dom.js';
import { formatBytes, formatClock, formatCount, formatWhen, percent, plural } from './format.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./store.js').Plan} Plan */
/** @typedef {import('./store.js').PlanEvent} PlanEvent */
/** @typedef {import('./store.js').PlanImage} PlanImage */

/** More than anyone reads; the nearest come first. */
const EVENTS_SHOWN_MAX = 50;
/** A time that passes is noticed within this, milliseconds. */
const REDRAW_EVERY_MS = 10_000;

/** @param {Store} store */
export function showEvents(store) {
  const open = new Set();
  const draw = () => drawEvents(store.plan, open);
  store.on(['plan'], draw);
  setInterval(draw, REDRAW_EVERY_MS);
}

/** @param {Plan | null | undefined} plan @param {Set<string>} open */
function drawEvents(plan, open) {
  const place = byId('events');
  const note = byId('events-note');
  if (plan === undefined) return;
  if (plan === null) {
    note.textContent = '';
    place.replaceChildren(
      el(
        'p.empty',
        'No warmer has told this node of its plan since it started. ',
        el('code', 'shoal warm serve'),
        ' does so after every look at the cluster.',
      ),
    );
    return;
  }
  const nowMs = Date.now();
  note.textContent = `${plan.warmer}, ${formatWhen(Date.parse(plan.at), nowMs)}${runNote(plan)}`;
  if (plan.events.length === 0) {
    place.replaceChildren(el('p.empty', `Nothing is announced. ${plural(plan.images.length, 'image')} kept warm.`));
    return;
  }
  const images = new Map(plan.images.map((image) => [image.ref, image]));
  const rows = plan.events.slice(0, EVENTS_SHOWN_MAX).map((event) => eventRow(event, images, { nowMs, open }));
  const head = el('tr', ...['When', 'What', 'Warm'].map((name) => el('th', { scope: 'col' }, name)));
  place.replaceChildren(
    el(
      'div.scroll',
      { tabindex: '0', role: 'region', 'aria-label': 'Events' },
      el('table', el('thead', head), el('tbody', ...rows)),
    ),
  );
}

/** @param {Plan} plan */
function runNote({ run }) {
  if (run === null) return '';
  if (run.ended_at === null) return ', warming now';
  return run.failed > 0 ? `, last run left ${formatCount(run.failed)} failed` : '';
}

/** @param {PlanEvent} event @param {Map<string, PlanImage>} images @param {{ nowMs: number, open: Set<string> }} context */
function eventRow(event, images, { nowMs, open }) {
  const atMs = Date.parse(event.at);
  const needed = event.images.flatMap((ref) => images.get(ref) ?? []);
  const wanted = needed.reduce((sum, image) => sum + image.nodes_wanted, 0);
  const warm = needed.reduce((sum, image) => sum + Math.min(image.nodes_warm, image.nodes_wanted), 0);
  const share = percent(warm, wanted);
  const key = `${event.at} ${event.namespace} ${event.name}`;
  const name = event.namespace === null ? event.name : `${event.namespace}/${event.name}`;
  const details = el('details', el('summary', el('span.strong', name)), imageList(event, images));
  if (open.has(key)) details.setAttribute('open', '');
  details.addEventListener('toggle', () => (details.hasAttribute('open') ? open.add(key) : open.delete(key)));
  const size =
    event.replicas === null
      ? plural(event.images.length, 'image')
      : `to ${plural(event.replicas, 'replica')}, ${plural(event.images.length, 'image')}`;
  return el(
    'tr',
    el('td.nowrap', el('div.strong', formatWhen(atMs, nowMs)), el('div.sub', formatClock(atMs, nowMs))),
    el('td', details, el('div.sub', `${event.kind}, ${size}`)),
    el(
      'td',
      warmth(event, { share, wanted, nowMs }),
      bar([{ share, kind: share === 100 ? 'good' : 'accent' }], `${share} % warm`),
    ),
  );
}

/** @param {PlanEvent} event @param {{ share: number, wanted: number, nowMs: number }} facts */
function warmth(event, { share, wanted, nowMs }) {
  if (event.images.length === 0) return badge('no image');
  if (wanted === 0) return badge('not resolved', 'warn');
  if (share === 100) return badge('warm', 'good');
  const startMs = Date.parse(event.start_by);
  if (Date.parse(event.at) < nowMs) return badge(`cold at its time, ${share} %`, 'bad');
  if (startMs < nowMs) return badge(`warming, ${share} %`, 'accent');
  return badge(`starts ${formatWhen(startMs, nowMs)}`);
}

/** @param {PlanEvent} event @param {Map<string, PlanImage>} images */
function imageList(event, images) {
  const rows = event.images.map((ref) => {
    const image = images.get(ref);
    const size = image?.bytes === null || image?.bytes === undefined ? 'size unknown' : formatBytes(image.bytes);
    const nodes =
      image === undefined ? '' : `, on ${formatCount(image.nodes_warm)} of ${plural(image.nodes_wanted, 'node')}`;
    return el('li', el('code', ref), el('div.sub', `${size}${nodes}`));
  });
  return el('ul', ...rows);
}
