/** Nodes in an order that takes from every zone in turn. Pure. */
import { hashText, mixHashes } from './rendezvous.ts';

export interface Placed {
  readonly index: number;
  readonly name: string;
  readonly zone: string;
  /** `hashText` of the name. */
  readonly hash: number;
}

/**
 * One of each zone, then a second of each, and so on. Within a zone the better score comes first; among equals, and among
 * zones, the order is fixed by `salt` and the names.
 */
export function zoneOrder<T extends Placed>(
  nodes: readonly T[],
  order: { salt: string; score?: (node: T) => number },
): T[] {
  const salt = hashText(order.salt);
  const rank = (node: T) => mixHashes(salt, node.hash);
  const score = order.score ?? (() => 0);
  const better = (a: T, b: T) => score(b) - score(a) || rank(b) - rank(a) || (a.name < b.name ? -1 : 1);
  const zones = [...Map.groupBy(nodes, (node) => node.zone)].map(([zone, members]) => ({
    rank: mixHashes(salt, hashText(zone)),
    zone,
    members: members.sort(better),
  }));
  zones.sort(
    (a, b) =>
      bestScore(b.members, score) - bestScore(a.members, score) || b.rank - a.rank || (a.zone < b.zone ? -1 : 1),
  );
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

function bestScore<T>(members: readonly T[], score: (node: T) => number): number {
  const first = members[0];
  return first === undefined ? 0 : score(first);
}
