/** The members, however many: only the rows that can be seen are in the page. */
import { badge, bar, byId, el, setAll } from './dom.js';
import { formatBytes, formatCount, plural } from './format.js';
import { chooseMembers } from './member-rows.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./store.js').Member} Member */
/** @typedef {import('./member-rows.js').Column} Column */
/** @typedef {import('./member-rows.js').Choice} Choice */

/** As the style sheet has it, pixels. */
const ROW_HEIGHT = 36;
/** Rows beyond either edge, so that scrolling finds them there. */
const SPARE_ROWS = 6;
/** Changes of a large fleet come without end: the order is made anew at most so often, milliseconds. */
const SORT_EVERY_MS = 1_000;

/** @type {[Column, string, string][]} */
const COLUMNS = [
  ['name', 'Name', ''],
  ['zone', 'Zone', 'wide'],
  ['state', 'State', ''],
  ['held', 'Holds', ''],
  ['free', 'Disk free', 'wide number'],
  ['registries', 'From registries', 'wide number'],
  ['peers', 'From nodes', 'wide number'],
  ['version', 'Version', 'wide'],
];

export class MemberTable {
  #store;
  #onSelect;
  /** @type {Choice} */ choice = { text: '', state: '', zone: undefined, column: 'name', isDown: false };
  /** @type {Member[]} */ #rows = [];
  /** @type {string | undefined} */ #selected;
  #sortedAtMs = Number.NEGATIVE_INFINITY;
  #isSortDue = false;
  #head = el('div.grid-row.grid-head', { role: 'row' });
  #all = el('div.all', { role: 'rowgroup' });
  #body = el('div.grid-body', { tabindex: '0', role: 'presentation' });
  #table = el('div.grid', { role: 'grid', 'aria-label': 'Members' });

  /** @param {Store} store @param {(name: string | undefined) => void} onSelect */
  constructor(store, onSelect) {
    this.#store = store;
    this.#onSelect = onSelect;
    this.#body.append(this.#all);
    this.#table.append(el('div', { role: 'rowgroup' }, this.#head), this.#body);
    this.#body.addEventListener('scroll', () => this.#drawRows(), { passive: true });
    this.#body.addEventListener('keydown', (event) => this.#onKey(event));
    this.#all.addEventListener('click', (event) => this.#onClick(event));
    byId('members').replaceChildren(this.#table);
    store.on(['members'], () => this.#sortSoon());
    this.#drawHead();
  }

  /** @param {Partial<Choice>} change */
  choose(change) {
    this.choice = { ...this.choice, ...change };
    this.#drawHead();
    this.#sort();
  }

  #sortSoon() {
    if (this.#isSortDue) return;
    const waitMs = this.#sortedAtMs + SORT_EVERY_MS - performance.now();
    if (waitMs <= 0) return this.#sort();
    this.#isSortDue = true;
    setTimeout(() => this.#sort(), waitMs);
  }

  #sort() {
    this.#isSortDue = false;
    this.#sortedAtMs = performance.now();
    this.#rows = chooseMembers(this.#store.members.values(), this.choice);
    this.#all.style.height = `${Math.max(1, this.#rows.length) * ROW_HEIGHT}px`;
    this.#table.setAttribute('aria-rowcount', String(this.#rows.length + 1));
    const all = this.#store.members.size;
    const note =
      this.#rows.length === all
        ? plural(all, 'member')
        : `${formatCount(this.#rows.length)} of ${plural(all, 'member')}`;
    if (byId('members-note').textContent !== note) byId('members-note').textContent = note;
    this.#drawRows();
  }

  #drawHead() {
    this.#head.replaceChildren(
      ...COLUMNS.map(([column, name, classes]) => {
        const isSorted = this.choice.column === column;
        const isDown = isSorted && this.choice.isDown;
        const sort = isSorted ? (isDown ? 'descending' : 'ascending') : 'none';
        const button = el(
          'button',
          { type: 'button', onclick: () => this.#sortBy(column) },
          `${name}${isSorted ? (isDown ? ' ↓' : ' ↑') : ''}`,
        );
        return el('span', { role: 'columnheader', 'aria-sort': sort, class: classes, 'data-column': column }, button);
      }),
    );
  }

  /** @param {Column} column */
  #sortBy(column) {
    const isNumber = column !== 'name' && column !== 'zone' && column !== 'version' && column !== 'state';
    const isDown = this.choice.column === column ? !this.choice.isDown : isNumber;
    this.choose({ column, isDown });
    const button = this.#head.querySelector(`[data-column="${column}"] button`);
    if (button instanceof HTMLElement) button.focus();
  }

  #drawRows() {
    if (this.#rows.length === 0) {
      this.#all.replaceChildren(
        el('p.empty', this.#store.members.size === 0 ? 'Asking for the members…' : 'No member is like that.'),
      );
      return;
    }
    const first = Math.max(0, Math.floor(this.#body.scrollTop / ROW_HEIGHT) - SPARE_ROWS);
    const count = Math.ceil(this.#body.clientHeight / ROW_HEIGHT) + 2 * SPARE_ROWS;
    const shown = this.#rows.slice(first, first + count);
    this.#all.replaceChildren(...shown.map((member, at) => this.#row(member, first + at)));
  }

  /** @param {Member} member @param {number} index */
  #row(member, index) {
    const { facts } = member;
    const isSelected = member.name === this.#selected;
    const row = el(
      'div.grid-row',
      {
        role: 'row',
        id: `row-${index}`,
        'aria-rowindex': String(index + 2),
        'aria-selected': isSelected ? 'true' : 'false',
        'data-name': member.name,
      },
      cell('clip', { title: member.name }, member.name, member.self && el('span.sub', ' (this node)')),
      cell('wide clip', {}, member.zone === '' ? '–' : member.zone),
      cell('', {}, stateBadge(member)),
      cell('', {}, facts === null ? el('span.sub', member.shoal ? 'not told yet' : 'no Shoal node') : held(facts)),
      cell('wide number', {}, facts === null ? '' : formatBytes(facts.free_bytes)),
      cell('wide number', {}, facts === null ? '' : formatBytes(facts.bytes_from_registries)),
      cell('wide number', {}, facts === null ? '' : formatBytes(facts.bytes_from_peers)),
      cell('wide clip', {}, member.version),
    );
    row.style.transform = `translateY(${index * ROW_HEIGHT}px)`;
    return row;
  }

  /** @param {Event} event */
  #onClick(event) {
    const row = event.target instanceof Element ? event.target.closest('[data-name]') : null;
    const name = row?.getAttribute('data-name') ?? undefined;
    this.#select(name === this.#selected ? undefined : name);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const at = this.#rows.findIndex(({ name }) => name === this.#selected);
    const last = this.#rows.length - 1;
    /** @type {Record<string, number>} */
    const targets = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: last, PageDown: at + 10, PageUp: at - 10 };
    if (event.key === 'Escape') return this.#select(undefined);
    if (!(event.key in targets) || last < 0) return;
    event.preventDefault();
    const index = Math.min(last, Math.max(0, targets[event.key]));
    this.#scrollTo(index);
    this.#select(this.#rows[index].name);
    this.#body.setAttribute('aria-activedescendant', `row-${index}`);
  }

  /** @param {number} index */
  #scrollTo(index) {
    const top = index * ROW_HEIGHT;
    const { scrollTop, clientHeight } = this.#body;
    if (top < scrollTop) this.#body.scrollTop = top;
    else if (top + ROW_HEIGHT > scrollTop + clientHeight) this.#body.scrollTop = top + ROW_HEIGHT - clientHeight;
  }

  /** @param {string | undefined} name */
  #select(name) {
    this.#selected = name;
    this.#drawRows();
    this.#onSelect(name);
  }
}

/** @param {string} classes @param {Record<string, unknown>} attributes @param {...(Node | string | null | false)} children */
function cell(classes, attributes, ...children) {
  const element = el('span', { role: 'gridcell' }, ...children);
  if (classes !== '') setAll(element, { class: classes });
  setAll(element, attributes);
  return element;
}

/** @param {import('./store.js').Facts} facts */
function held(facts) {
  const disk = Math.max(1, facts.bytes + facts.free_bytes);
  /** @param {number} bytes */
  const share = (bytes) => (bytes / disk) * 100;
  const { containerd, pin } = facts.bytes_by_hold;
  const cacheOnly = Math.max(0, facts.bytes - containerd);
  const shares = [
    { share: share(containerd), kind: 'hold-containerd' },
    { share: share(cacheOnly), kind: 'hold-cache' },
  ];
  const label = `${formatBytes(containerd)} of containerd, ${formatBytes(cacheOnly)} cached, ${formatBytes(pin)} pinned`;
  return el('span.held', { title: label }, el('span.number', formatBytes(facts.bytes)), bar(shares, label));
}

/** @param {Member} member */
export function stateBadge({ state, silent, facts }) {
  if (state === 'dead') return badge('dead', 'bad');
  if (state === 'suspect') return badge('suspected', 'warn');
  if (state === 'left') return badge('left');
  if (silent !== null) return badge('silent', 'warn');
  if (facts !== null && facts.skew_seconds !== 0) return badge('clock off', 'warn');
  if ((facts?.flights ?? 0) > 0) return badge('fetching', 'accent');
  return badge('alive', 'good');
}
