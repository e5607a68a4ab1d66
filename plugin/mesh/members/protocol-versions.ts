/** Which versions members speak, and whether all of them can. (memberlist `state.go` verifyProtocol; serf `serf.go`) */
import type { MemberState } from './member-record.ts';

/** We understand memberlist 1 to 5 and speak 2; serf 2 to 5 and speak 4: what serf itself speaks by default. */
export const OUR_VERSIONS: Uint8Array = Uint8Array.of(1, 5, 2, 2, 5, 4);

export interface Speaker {
  readonly name: string;
  readonly state: MemberState;
  readonly vsn: Uint8Array;
}

/** The first member that does not speak what every live one understands; undefined when all do. */
export function findIncompatible(members: readonly Speaker[]): string | undefined {
  const live = members.filter(({ state, vsn }) => state === 'alive' && vsn.length >= 5);
  const isSpoken = (current: number, min: number, max: number) => current >= min && current <= max;
  const protocol = rangeOf(live, 0);
  const delegate = rangeOf(live, 3);
  // Versions that were never told (a suspicion heard before the member) are no reason to refuse everybody.
  const told = members.filter(({ vsn }) => vsn.length >= 6);
  return told.find(
    ({ vsn }) =>
      !isSpoken(vsn[2] ?? 0, protocol.min, protocol.max) || !isSpoken(vsn[5] ?? 0, delegate.min, delegate.max),
  )?.name;
}

/** The highest least and the lowest most of what members understand; `at` is where the least stands. */
function rangeOf(members: readonly Speaker[], at: number): { min: number; max: number } {
  let min = 0;
  let max = 255;
  for (const { vsn } of members) {
    min = Math.max(min, vsn[at] ?? 0);
    max = Math.min(max, vsn[at + 1] ?? 255);
  }
  return { min, max };
}
