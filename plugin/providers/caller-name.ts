/** Who is calling: a member by its certificate, or, where there is no TLS, by its address and the name that it gives. */
import { CodedError } from '../../core/runtime/errors.ts';
import { memberNamed } from './member-named.ts';
import type { SwarmMember } from './providers.ts';

/**
 * @param caller the name in the caller's certificate, or its address
 * @param claimed the name in its message
 * @throws CodedError PERMISSION_DENIED when that is no live member
 */
export function callerMember(caller: string, claimed: string, members: readonly SwarmMember[]): SwarmMember {
  const named = memberNamed(members, caller);
  if (named !== undefined) return named;
  const member = memberNamed(members, claimed);
  if (member === undefined || !isAddressOf(caller, member.host)) {
    throw new CodedError('PERMISSION_DENIED', `Caller "${caller.slice(0, 100)}" is no live member`);
  }
  return member;
}

/** An address with or without its port, an IPv4 one perhaps in IPv6's form. */
function isAddressOf(caller: string, host: string): boolean {
  const address = caller.startsWith('::ffff:') ? caller.slice('::ffff:'.length) : caller;
  return address === host || address.startsWith(`${host}:`) || address.startsWith(`[${host}]:`);
}
