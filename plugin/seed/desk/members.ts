/** The members as the desk reaches them: this node by itself, the others over the peer port. */
import { CodedError } from '../../../core/runtime/errors.ts';
import { memberNamed } from '../../providers/member-named.ts';
import type { SwarmMember } from '../../providers/providers.ts';
import type { NodeSeeding } from '../seed.ts';

/** A live member, with its version for those who look. */
export interface SeedMember extends SwarmMember {
  readonly version: string;
}

export interface SeedMembers {
  /** Alive now, this node included: the same list until it changes. */
  list(): readonly SeedMember[];
  /** `callMs`: how long a call may take beside what it is told to wait. */
  reach(member: SeedMember, callMs: number): NodeSeeding;
}

/** @throws CodedError UNAVAILABLE: not in the mesh, or not alive */
export function liveMember(members: SeedMembers, name: string): SeedMember {
  const member = memberNamed(members.list(), name);
  if (member !== undefined) return member;
  throw new CodedError('UNAVAILABLE', `Node "${name}" is no live member of the mesh`);
}
