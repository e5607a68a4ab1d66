/** The page, put together. */
import { showActions } from './actions.js';
import { byId } from './dom.js';
import { showEvents } from './events-list.js';
import { follow } from './live.js';
import { memberDetail } from './member-detail.js';
import { MemberTable } from './member-table.js';
import { showOverview } from './overview.js';
import { Store } from './store.js';
import { showSwarms } from './swarm-list.js';
import { showTraffic } from './traffic-chart.js';
import { showZones } from './zone-list.js';

const store = new Store();
showOverview(store);
showTraffic(store);
showEvents(store);
showSwarms(store);
const table = new MemberTable(store, memberDetail(store));
showZones(store, { zone: undefined, onZone: (zone) => table.choose({ zone }) });

const text = /** @type {HTMLInputElement} */ (byId('filter-text'));
const state = /** @type {HTMLSelectElement} */ (byId('filter-state'));
text.addEventListener('input', () => table.choose({ text: text.value }));
state.addEventListener('change', () => table.choose({ state: state.value }));
byId('member-filter').addEventListener('submit', (event) => event.preventDefault());

follow(store);
void showActions(store).catch(() => undefined);
