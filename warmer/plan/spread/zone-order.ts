/** Nodes in an order that takes from every zone in turn. Pure. */
import { hashText, mixHashes } from './rendezvous.ts';

export interface Placed {
  readonly index: number;
  readonly name: string;
  readonly zone: string;
  /** `hashText` of the name. */
  readonly hash: number;
}

/** One of each zone, then a second of each, and so on. Zones and their nodes stand in an order fixed by `salt` and their names. */
export function zoneOrder<T extends Placed>(nodes: readonly T[], salt: string): T[] {
  const salted = hashText(salt);
  const rank = ({ hash }: T) => mixHashes(salted, hash);
  const zones = [...Map.groupBy(nodes, ({ zone }) => zone)].map(([zone, members]) => ({
    rank: mixHashes(salted, hashText(zone)),
    name: zone,
    members: members.sort((a, b) => rank(b) - rank(a) || compareNames(a, b)),
  }));
  zones.sort((a, b) => b.rank - a.rank || compareNames(a, b));
  const most = Math.max(0, ...zones.map(({ members }) => members.length));
  const ordered: T[] = [];
  for (let turn = 0; turn < most; turn += 1) {
    for (const { members } of zones) {
      const node = members[turn];
      if (node !== undefined) ordered.push(node);
    }
  }
  return ordered;
}

function compareNames(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
