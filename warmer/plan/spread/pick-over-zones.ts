/** The best few of many, spread over zones, without putting all of them in order. Pure. */

/** Something that stands in a zone; more is better. */
export interface Ranked {
  readonly zone: string;
  readonly score: number;
  /** Decides among equal scores; by chance, but always the same. */
  readonly rank: number;
}

/** At most `count`: the best of each zone, then the second of each, and so on; zones with the better best come first. */
export function pickOverZones<T extends Ranked>(candidates: readonly T[], count: number): T[] {
  const zones = [...Map.groupBy(candidates, ({ zone }) => zone).values()];
  const turns = turnsFor(
    zones.map(({ length }) => length),
    count,
  );
  const best = zones.map((members) => takeBest(members, turns)).sort(([a], [b]) => compare(a, b));
  const picked: T[] = [];
  for (let turn = 0; turn < turns && picked.length < count; turn += 1) {
    for (const members of best) {
      const member = members[turn];
      if (member !== undefined && picked.length < count) picked.push(member);
    }
  }
  return picked;
}

/** How many of each zone it takes to have `count`. */
function turnsFor(sizes: readonly number[], count: number): number {
  const most = Math.max(0, ...sizes);
  let turns = 0;
  for (let left = count; left > 0 && turns < most; turns += 1) left -= sizes.filter((size) => size > turns).length;
  return turns;
}

/** One walk through the members for each; few are wanted of many. */
function takeBest<T extends Ranked>(members: readonly T[], count: number): T[] {
  if (count * 4 > members.length) return members.toSorted(compare).slice(0, count);
  const taken: T[] = [];
  while (taken.length < count) {
    let best: T | undefined;
    for (const member of members) {
      const isBetter = best === undefined || compare(member, best) < 0;
      if (isBetter && !taken.includes(member)) best = member;
    }
    if (best === undefined) break;
    taken.push(best);
  }
  return taken;
}

function compare(a: Ranked | undefined, b: Ranked | undefined): number {
  if (a === undefined || b === undefined) return 0;
  return b.score - a.score || b.rank - a.rank;
}
