/** Which members are shown, and in which order. Pure. */

/** @typedef {import('./store.js').Member} Member */
/** @typedef {'name' | 'zone' | 'state' | 'held' | 'free' | 'registries' | 'peers' | 'version'} Column */
/** @typedef {{ text: string, state: string, zone: string | undefined, column: Column, isDown: boolean }} Choice */

const STATE_ORDER = ['dead', 'suspect', 'left', 'alive'];

/** @type {Record<Column, (member: Member) => string | number>} */
const KEYS = {
  name: ({ name }) => name,
  zone: ({ zone }) => zone,
  state: (member) => STATE_ORDER.indexOf(member.state) - (isTroubled(member) ? 0.5 : 0),
  held: ({ facts }) => facts?.bytes ?? -1,
  free: ({ facts }) => facts?.free_bytes ?? -1,
  registries: ({ facts }) => facts?.bytes_from_registries ?? -1,
  peers: ({ facts }) => facts?.bytes_from_peers ?? -1,
  version: ({ version }) => version,
};

/** @param {Iterable<Member>} members @param {Choice} choice @returns {Member[]} */
export function chooseMembers(members, choice) {
  const text = choice.text.trim().toLowerCase();
  const isShown = (/** @type {Member} */ member) =>
    (choice.zone === undefined || (member.shoal && member.zone === choice.zone)) &&
    isInState(member, choice.state) &&
    (text === '' || [member.name, member.address, member.version].some((field) => field.toLowerCase().includes(text)));
  const key = KEYS[choice.column];
  const down = choice.isDown ? -1 : 1;
  return [...members]
    .filter(isShown)
    .map((member) => ({ member, key: key(member) }))
    .sort((a, b) => down * compare(a.key, b.key) || compare(a.member.name, b.member.name))
    .map(({ member }) => member);
}

/** @param {Member} member */
export function isTroubled({ state, silent, facts }) {
  return state === 'dead' || state === 'suspect' || silent !== null || (facts !== null && facts.skew_seconds !== 0);
}

/** @param {Member} member @param {string} state */
function isInState(member, state) {
  if (state === 'live') return member.state === 'alive';
  if (state === 'trouble') return isTroubled(member);
  if (state === 'busy') return (member.facts?.flights ?? 0) > 0 || (member.facts?.swarms ?? 0) > 0;
  return true;
}

/** @param {string | number} a @param {string | number} b */
function compare(a, b) {
  if (typeof a === 'string' && typeof b === 'string') return NAMES.compare(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** node-2 before node-10. */
const NAMES = new Intl.Collator('en', { numeric: true });
