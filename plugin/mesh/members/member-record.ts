/** What one member knows about another. Immutable: a change makes a new record. */
import type { Endpoint } from '../net/transport.ts';

export type MemberState = 'alive' | 'suspect' | 'dead' | 'left';

/** In the order of their numbers on the wire. */
export const MEMBER_STATES: readonly MemberState[] = ['alive', 'suspect', 'dead', 'left'];

export interface MemberRecord extends Endpoint {
  readonly name: string;
  readonly state: MemberState;
  readonly incarnation: number;
  /** Tags as serf encodes them; the bytes are what is compared and passed on. */
  readonly meta: Uint8Array;
  /** pmin, pmax, pcur, dmin, dmax, dcur; empty when a member has not told them. */
  readonly vsn: Uint8Array;
  /** When `state` became what it is, on the scheduler's clock. */
  readonly sinceMs: number;
}

export function isGone(record: MemberRecord): boolean {
  return record.state === 'dead' || record.state === 'left';
}

/** The highest version of memberlist's protocol that a member understands; 0 when it has not told. */
export function protocolMax(record: MemberRecord): number {
  return record.vsn[1] ?? 0;
}
