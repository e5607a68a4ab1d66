/** Everything that is known of one member. */
import { byId, el } from './dom.js';
import { formatBytes, formatCount, formatDuration } from './format.js';
import { stateBadge } from './member-table.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./store.js').Member} Member */

/** @param {Store} store @returns {(name: string | undefined) => void} */
export function memberDetail(store) {
  /** @type {string | undefined} */ let shown;
  /** @type {Member | undefined} */ let drawn;
  const draw = () => {
    const member = shown === undefined ? undefined : store.members.get(shown);
    if (member === drawn) return;
    drawn = member;
    byId('member-detail').replaceChildren(...(member === undefined ? [] : [detail(member)]));
  };
  store.on(['members'], draw);
  return (name) => {
    shown = name;
    draw();
  };
}

/** @param {Member} member */
function detail(member) {
  const rows = [...identity(member), ...(member.facts === null ? [] : holdings(member.facts))];
  const list = rows.map(([name, value]) => el('div', el('dt', name), el('dd', value)));
  return el(
    'div.detail',
    el('div.card-head', el('h3', member.name), stateBadge(member)),
    member.silent !== null && el('p.problem', member.silent),
    el('dl.facts-grid', ...list),
  );
}

/** @param {Member} member @returns {[string, string][]} */
function identity(member) {
  return [
    ['Address', member.address],
    ['Zone', member.zone === '' ? 'none' : member.zone],
    ['Version', member.version === '' ? 'no Shoal node' : member.version],
    ['Mode', member.mode === '' ? '–' : member.mode],
  ];
}

/** @param {import('./store.js').Facts} facts @returns {[string, string][]} */
function holdings(facts) {
  const { containerd, cache, pin } = facts.bytes_by_hold;
  const skew = facts.skew_seconds;
  return [
    ['Holds', `${formatBytes(facts.bytes)} in ${formatCount(facts.blobs)} blobs`],
    ['For containerd', formatBytes(containerd)],
    ['In the cache', `${formatBytes(cache)} of ${formatBytes(facts.capacity_bytes)}`],
    ['Pinned', formatBytes(pin)],
    ['Disk free', formatBytes(facts.free_bytes)],
    ['From registries', formatBytes(facts.bytes_from_registries)],
    ['From other nodes', formatBytes(facts.bytes_from_peers)],
    ['Served', formatBytes(facts.bytes_served)],
    ['Downloads', `${formatCount(facts.flights)} running`],
    [
      'Clock',
      skew === 0 ? 'as this node’s' : `${formatDuration(Math.abs(skew) * 1000)} ${skew > 0 ? 'ahead' : 'behind'}`,
    ],
    ['Up', formatDuration(Date.now() - Date.parse(facts.started_at))],
  ];
}
