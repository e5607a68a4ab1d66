/** Where the mesh listens, and which address it tells others. Pure. */
import type { NetworkInterfaceInfo } from 'node:os';
import { type HostPort, isLoopback } from '../../../core/runtime/config-address.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import { canonicalAddress } from '../wire/ip-address.ts';
import type { Endpoint } from './transport.ts';

const LOOPBACK = '127.0.0.1';

export interface Protection {
  readonly hasKey: boolean;
  /** The operator wants an open mesh without a key. */
  readonly isInsecure: boolean;
}

/** Without a key, and unless that is wanted, only this machine may reach the mesh. @throws CodedError INVALID_ARGUMENT for a name */
export function bindAddress(bind: HostPort, protection: Protection): Endpoint {
  const address = canonicalAddress(bind.host === 'localhost' ? LOOPBACK : bind.host);
  if (address === undefined)
    throw new CodedError('INVALID_ARGUMENT', `The mesh cannot listen on "${bind.host}", it needs an IP address`);
  const isOpen = protection.hasKey || protection.isInsecure;
  return { address: isOpen || isLoopback(address) ? address : LOOPBACK, port: bind.port };
}

/**
 * What others are told: `advertise` when it is given, else the address listened on, else the first of the interfaces'
 * that is not loopback, private ones first.
 * @throws CodedError FAILED_PRECONDITION when there is none
 */
export function advertisedAddress(
  bound: Endpoint,
  advertise: HostPort | undefined,
  interfaces: readonly NetworkInterfaceInfo[],
): Endpoint {
  const port = advertise === undefined || advertise.port === 0 ? bound.port : advertise.port;
  const host = advertise?.host ?? (isWildcard(bound.address) ? firstOf(interfaces, bound.address) : bound.address);
  const address = host === undefined ? undefined : canonicalAddress(host);
  if (address !== undefined && !isWildcard(address)) return { address, port };
  throw new CodedError(
    'FAILED_PRECONDITION',
    'No address is found that other members could reach this node at; set mesh.advertise to an IP address and port',
  );
}

function firstOf(interfaces: readonly NetworkInterfaceInfo[], wildcard: string): string | undefined {
  const outward = interfaces.filter(
    ({ internal, family, scopeid }) => !internal && (family === 'IPv4' || (wildcard === '::' && scopeid === 0)),
  );
  const rank = ({ address, family }: NetworkInterfaceInfo) =>
    (family === 'IPv4' ? 0 : 2) + (isPrivate(address) ? 0 : 1);
  return outward.toSorted((a, b) => rank(a) - rank(b))[0]?.address;
}

/** RFC 1918, RFC 6598 and RFC 4193. */
function isPrivate(address: string): boolean {
  return /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd])/i.test(
    address,
  );
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}
