/** Zones as buttons: what each holds, and a filter for the table below. */
import { bar, byId, el } from './dom.js';
import { formatBytes, formatCount } from './format.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./store.js').Zone} Zone */

/** @param {Store} store @param {{ zone: string | undefined, onZone: (zone: string | undefined) => void }} choice */
export function showZones(store, choice) {
  const draw = () => {
    const zones = store.summary?.zones ?? [];
    const place = byId('zones');
    const focused = document.activeElement?.getAttribute('data-zone');
    place.hidden = zones.length < 2;
    place.replaceChildren(
      ...zones.map((zone) =>
        zoneButton(zone, choice.zone === zone.zone, () => {
          choice.zone = choice.zone === zone.zone ? undefined : zone.zone;
          choice.onZone(choice.zone);
          draw();
        }),
      ),
    );
    if (focused !== null && focused !== undefined) focusOn(place, focused);
  };
  store.on(['summary'], draw);
}

/** Drawing anew must not take the focus from whoever tabs through. @param {HTMLElement} place @param {string} zone */
function focusOn(place, zone) {
  for (const button of place.children) {
    if (button.getAttribute('data-zone') === zone && button instanceof HTMLElement)
      button.focus({ preventScroll: true });
  }
}

/** @param {Zone} zone @param {boolean} isPressed @param {() => void} onClick */
function zoneButton(zone, isPressed, onClick) {
  const disk = zone.bytes + zone.free_bytes;
  const share = disk === 0 ? 0 : (zone.bytes / disk) * 100;
  const name = zone.zone === '' ? 'no zone' : zone.zone;
  const isWhole = zone.alive === zone.members;
  const count = isWhole ? formatCount(zone.alive) : `${formatCount(zone.alive)} of ${formatCount(zone.members)}`;
  return el(
    'button.zone',
    { type: 'button', 'data-zone': zone.zone, 'aria-pressed': isPressed ? 'true' : 'false', onclick: onClick },
    el(
      'div.row',
      el('span.strong.clip', name),
      el('span.nowrap', { class: isWhole ? 'nowrap' : 'nowrap problem' }, count),
    ),
    bar([{ share }], `${formatBytes(zone.bytes)} held`),
    el(
      'div.row.sub',
      el('span', `${formatBytes(zone.bytes)} held`),
      el('span', `${formatBytes(zone.free_bytes)} free`),
    ),
  );
}
