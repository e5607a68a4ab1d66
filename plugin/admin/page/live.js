/** Follows the node: the whole state once, and from there on what it tells. */

/** @typedef {import('./store.js').Store} Store */

/** @param {Store} store */
export function follow(store) {
  const source = new EventSource('/api/v1/events');
  /** Changes that came before the whole did. @type {{ rev: number, changed: any[], gone: string[] }[] | undefined} */
  let early = [];
  const load = async () => {
    early ??= [];
    const whole = await getJson('/api/v1/fleet');
    const later = early ?? [];
    early = undefined;
    takeWhole(store, whole);
    for (const changes of later) if (changes.rev > store.rev) store.applyMembers(changes);
    store.live = 'live';
    store.touch('live');
    await loadPlan(store);
  };
  const loadAgain = () => void load().catch(() => lose(store));
  source.addEventListener('open', loadAgain);
  source.addEventListener('error', () => lose(store));
  /** @param {string} name @param {(data: any) => void} take */
  const on = (name, take) => source.addEventListener(name, (event) => take(JSON.parse(event.data)));
  on('members', (changes) => {
    if (early !== undefined) early.push(changes);
    else if (changes.rev === store.rev + 1) store.applyMembers(changes);
    else if (changes.rev > store.rev) loadAgain();
  });
  on('stale', loadAgain);
  on('node', (node) => set(store, 'node', node));
  on('summary', (summary) => set(store, 'summary', summary));
  on('swarms', (swarms) => set(store, 'swarms', swarms));
  on('traffic', (point) => store.addPoint(point));
  on('plan', () => void loadPlan(store).catch(() => undefined));
}

/** @param {Store} store @param {any} whole */
function takeWhole(store, whole) {
  store.members = new Map(whole.members.map((/** @type {{ name: string }} */ member) => [member.name, member]));
  store.rev = whole.rev;
  store.node = whole.node;
  store.summary = whole.summary;
  store.swarms = whole.swarms;
  store.traffic = whole.traffic;
  store.touch('members', 'node', 'summary', 'swarms', 'traffic');
}

/** @param {Store} store */
async function loadPlan(store) {
  set(store, 'plan', (await getJson('/api/v1/plan')).plan);
}

/** @param {Store} store @param {'node' | 'summary' | 'swarms' | 'plan'} topic @param {any} value */
function set(store, topic, value) {
  store[topic] = value;
  store.touch(topic);
}

/** @param {Store} store */
function lose(store) {
  store.live = 'lost';
  store.touch('live');
}

/** @param {string} path @returns {Promise<any>} */
async function getJson(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(20_000) });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}
