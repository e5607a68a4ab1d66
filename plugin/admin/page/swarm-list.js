/** Blobs that members download together: how much of each is where. */
import { byId, el } from './dom.js';
import { formatBytes, formatCount, percent, plural, shortDigest } from './format.js';
import { pieceMap, shareOf } from './piece-map.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./store.js').Swarm} Swarm */

/** @param {Store} store */
export function showSwarms(store) {
  const open = new Set();
  store.on(['swarms'], () => draw(store.swarms, open));
}

/** @param {Swarm[]} swarms @param {Set<string>} open */
function draw(swarms, open) {
  const left = swarms.reduce((sum, swarm) => sum + swarm.size * swarm.members * (1 - shareOf(swarm.map)), 0);
  byId('swarms-note').textContent =
    swarms.length === 0 ? '' : `${plural(swarms.length, 'blob')}, ${formatBytes(left)} to go`;
  const rows = swarms.map((swarm) => swarmCard(swarm, open));
  byId('swarms').replaceChildren(
    ...(rows.length > 0
      ? rows
      : [
          el(
            'p.empty',
            'Nothing is being downloaded. Blobs that several nodes fetch at once appear here, piece by piece.',
          ),
        ]),
  );
}

/** @param {Swarm} swarm @param {Set<string>} open */
function swarmCard(swarm, open) {
  const share = Math.floor(shareOf(swarm.map) * 100);
  const name = swarm.sources[0] ?? 'blob';
  const head = el(
    'div.swarm-head',
    el('span.strong', name),
    el('code', { title: swarm.digest }, shortDigest(swarm.digest)),
    el(
      'span.facts',
      el('b', `${share} %`),
      ` of ${formatBytes(swarm.size)} on ${plural(swarm.members, 'node')} · ${source(swarm)}`,
    ),
  );
  const map = pieceMap(swarm.map, `${share} % of ${plural(swarm.pieces, 'piece')}`);
  return el(
    'article.swarm',
    { 'aria-label': `${name} ${shortDigest(swarm.digest)}` },
    head,
    map,
    memberRows(swarm, open),
  );
}

/** @param {{ bytes_from_peers: number, bytes_from_source: number }} swarm */
function source({ bytes_from_peers: peers, bytes_from_source: registry }) {
  const all = peers + registry;
  return all === 0 ? 'nothing yet' : `${percent(peers, all)} % from nodes, ${formatBytes(registry)} from the registry`;
}

/** @param {Swarm} swarm @param {Set<string>} open */
function memberRows(swarm, open) {
  const rows = swarm.rows.flatMap((member) => [
    el('span.clip', { title: member.name }, member.name),
    pieceMap(
      member.map,
      `${member.name}: ${formatCount(member.pieces_here)} of ${plural(swarm.pieces, 'piece')}`,
      true,
    ),
    el('span.number', `${percent(member.pieces_here, swarm.pieces)} %`),
    el('span.sub.wide.nowrap', source(member)),
  ]);
  const hidden = swarm.members - swarm.rows.length;
  const title = hidden > 0 ? `The ${swarm.rows.length} that have the least` : plural(swarm.members, 'node');
  const details = el('details', el('summary.sub', title), el('div.swarm-rows', ...rows));
  if (open.has(swarm.digest) || (swarm.rows.length <= 8 && !open.has(`-${swarm.digest}`)))
    details.setAttribute('open', '');
  details.addEventListener('toggle', () => {
    const isOpen = details.hasAttribute('open');
    open.delete(isOpen ? `-${swarm.digest}` : swarm.digest);
    open.add(isOpen ? swarm.digest : `-${swarm.digest}`);
  });
  return details;
}
