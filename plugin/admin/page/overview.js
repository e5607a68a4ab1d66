/** The line of numbers at the top, who this node is, and what is wrong with it. */
import { byId, el } from './dom.js';
import { formatBytes, formatCount, formatDuration, percent, plural } from './format.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./store.js').Summary} Summary */

/** @param {Store} store */
export function showOverview(store) {
  store.on(['summary', 'swarms'], () => store.summary && drawTiles(store.summary, store.swarms.length));
  store.on(['node', 'summary'], () => drawNode(store));
  store.on(['live'], () => drawLive(store));
}

/** @param {Summary} summary @param {number} swarms */
function drawTiles(summary, swarms) {
  const alive = summary.states.alive ?? 0;
  const total = Object.values(summary.states).reduce((sum, count) => sum + count, 0);
  const fetched = summary.bytes_from_registries + summary.bytes_from_peers;
  const isPartial = summary.told < summary.zones.reduce((sum, zone) => sum + zone.alive, 0);
  const told = isPartial
    ? `${formatCount(summary.told)} of ${formatCount(summary.members)} have told`
    : `${plural(summary.blobs, 'blob')}, copies counted`;
  byId('overview').replaceChildren(
    tile('Members alive', formatCount(alive), ` of ${formatCount(total)}`, ...membersMore(summary)),
    tile('Held', ...split(formatBytes(summary.bytes)), told),
    tile(
      'From other nodes',
      fetched === 0 ? '–' : `${percent(summary.bytes_from_peers, fetched)}`,
      fetched === 0 ? '' : ' %',
      fetched === 0 ? 'nothing fetched yet' : `of ${formatBytes(fetched)} fetched`,
    ),
    tile(
      'From registries',
      ...split(formatBytes(summary.bytes_from_registries)),
      `${formatBytes(summary.bytes_served)} served`,
    ),
    tile('Downloads', formatCount(summary.flights), '', swarms === 0 ? 'no swarm runs' : plural(swarms, 'swarm')),
  );
}

/** @param {Summary} summary @returns {[string, string?]} */
function membersMore({ states, silent, skewed, zones, versions }) {
  const gone = (states.dead ?? 0) + (states.suspect ?? 0);
  if (gone > 0) return [`${formatCount(gone)} dead or suspected`, 'bad'];
  if (silent > 0) return [`${formatCount(silent)} do not answer`, 'warn'];
  if (skewed > 0) return [`${plural(skewed, 'clock')} off by a second or more`, 'warn'];
  if (versions.length > 1) return [`${plural(versions.length, 'version')}, ${plural(zones.length, 'zone')}`];
  return [plural(zones.length, 'zone')];
}

/** @param {string} name @param {string} value @param {string} unit @param {string} more @param {string} [level] */
function tile(name, value, unit, more, level) {
  return el(
    'div.tile',
    el('p.name', name),
    el('p.value', value, unit !== '' && el('small', unit)),
    el('p.more', { 'data-level': level }, more),
  );
}

/** @param {string} text @returns {[string, string]} */
function split(text) {
  const [value = '', unit = ''] = text.split(' ');
  return [value, ` ${unit}`];
}

/** @param {Store} store */
function drawNode({ node }) {
  if (node === undefined) return;
  const up = formatDuration(Date.now() - Date.parse(node.started_at));
  const zone = node.zone === '' ? '' : ` in ${node.zone}`;
  byId('node-line').textContent = `As seen by ${node.name}${zone}, version ${node.version}, up ${up}`;
  document.title = `${node.name} · Shoal`;
  /** @type {HTMLElement[]} */ const notices = [];
  if (!node.ready) notices.push(notice(`This node is not ready: ${node.reason ?? ''}`, 'bad'));
  if (node.content.containerd === 'unreachable')
    notices.push(notice('containerd does not answer this node: nothing is claimed for it.', 'bad'));
  if (node.mesh !== null && !node.mesh.sealed && !node.mesh.insecure)
    notices.push(notice('There is no mesh key, so this node works alone. “shoal keygen” makes one.'));
  if (node.mesh?.join_failure)
    notices.push(notice(`No other node was found: ${node.mesh.join_failure}. “shoal doctor” says more.`));
  if (node.mesh !== null && node.mesh.banned.length > 0)
    notices.push(
      notice(
        `Sent wrong bytes and is not asked any more: ${node.mesh.banned.join(', ')}. Look at the disks there.`,
        'bad',
      ),
    );
  const place = byId('notices');
  const text = notices.map((one) => one.textContent).join('\n');
  if (place.dataset.text === text) return;
  place.dataset.text = text;
  place.replaceChildren(...notices);
}

/** @param {string} text @param {string} [level] */
function notice(text, level) {
  return el('p.notice', { 'data-level': level }, text);
}

const LIVE = { waiting: 'Connecting', live: 'Live', lost: 'Connection lost, trying again' };

/** @param {Store} store */
function drawLive({ live }) {
  const line = byId('live');
  line.dataset.state = live;
  line.textContent = LIVE[live];
}
