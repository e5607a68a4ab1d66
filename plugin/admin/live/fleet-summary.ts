/** The fleet in a few numbers, and by zone: what a page shows of thousands of members at once. Pure. */
import type { MemberView } from './member-view.ts';

/** Zones told one by one; more are gathered in one row. */
export const ZONES_MAX = 200;
/** Versions told; a fleet in an upgrade has two. */
const VERSIONS_MAX = 20;

export interface ZoneSummary {
  readonly zone: string;
  /** With our tag. */
  readonly members: number;
  /** Alive, or suspected and not given up. */
  readonly alive: number;
  /** That said what they hold. */
  readonly told: number;
  readonly bytes: number;
  readonly capacity_bytes: number;
  readonly free_bytes: number;
  readonly flights: number;
}

export interface FleetSummary {
  /** By memberlist's states, members of other kinds included. */
  readonly states: Readonly<Record<string, number>>;
  readonly members: number;
  readonly told: number;
  readonly silent: number;
  readonly blobs: number;
  readonly bytes: number;
  readonly capacity_bytes: number;
  readonly free_bytes: number;
  readonly flights: number;
  /** Since each node started, over those that told. */
  readonly bytes_from_registries: number;
  readonly bytes_from_peers: number;
  readonly bytes_served: number;
  readonly skewed: number;
  readonly versions: readonly { readonly version: string; readonly members: number }[];
  /** The largest first. */
  readonly zones: readonly ZoneSummary[];
}

type Sums = { -readonly [K in Exclude<keyof ZoneSummary, 'zone'>]: number };

export function summarise(views: readonly MemberView[]): FleetSummary {
  const states = new Map<string, number>();
  const versions = new Map<string, number>();
  const zones = new Map<string, Sums>();
  const total = noSums();
  const more = { blobs: 0, bytes_from_registries: 0, bytes_from_peers: 0, bytes_served: 0, skewed: 0, silent: 0 };
  for (const view of views) {
    countIn(states, view.state);
    if (!view.shoal) continue;
    const zone = zones.get(view.zone) ?? noSums();
    zones.set(view.zone, zone);
    for (const sums of [zone, total]) addTo(sums, view);
    if (isLive(view)) countIn(versions, view.version);
    if (isLive(view) && view.silent !== null) more.silent += 1;
    if (!isLive(view) || view.facts === null) continue;
    more.blobs += view.facts.blobs;
    more.bytes_from_registries += view.facts.bytes_from_registries;
    more.bytes_from_peers += view.facts.bytes_from_peers;
    more.bytes_served += view.facts.bytes_served;
    if (view.facts.skew_seconds !== 0) more.skewed += 1;
  }
  const { alive: _alive, ...sums } = total;
  return {
    states: Object.fromEntries(states),
    ...sums,
    ...more,
    versions: [...versions]
      .map(([version, members]) => ({ version, members }))
      .sort((a, b) => b.members - a.members)
      .slice(0, VERSIONS_MAX),
    zones: zoneRows(zones),
  };
}

function addTo(sums: Sums, view: MemberView): void {
  sums.members += 1;
  if (!isLive(view)) return;
  sums.alive += 1;
  if (view.facts === null) return;
  sums.told += 1;
  sums.bytes += view.facts.bytes;
  sums.capacity_bytes += view.facts.capacity_bytes;
  sums.free_bytes += view.facts.free_bytes;
  sums.flights += view.facts.flights;
}

function zoneRows(zones: ReadonlyMap<string, Sums>): ZoneSummary[] {
  const rows = [...zones].map(([zone, sums]) => ({ zone, ...sums }));
  rows.sort((a, b) => b.members - a.members || NAMES.compare(a.zone, b.zone));
  if (rows.length <= ZONES_MAX) return rows;
  const rest = noSums();
  for (const row of rows.slice(ZONES_MAX - 1)) {
    rest.members += row.members;
    rest.alive += row.alive;
    rest.told += row.told;
    rest.bytes += row.bytes;
    rest.capacity_bytes += row.capacity_bytes;
    rest.free_bytes += row.free_bytes;
    rest.flights += row.flights;
  }
  return [...rows.slice(0, ZONES_MAX - 1), { zone: '…', ...rest }];
}

/** zone-2 before zone-10. */
const NAMES = new Intl.Collator('en', { numeric: true });

function isLive({ state }: MemberView): boolean {
  return state === 'alive' || state === 'suspect';
}

function noSums(): Sums {
  return { members: 0, alive: 0, told: 0, bytes: 0, capacity_bytes: 0, free_bytes: 0, flights: 0 };
}

function countIn(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
