/**
 * Which addresses may be asked on the word of a registry, a manifest or a reference. A node can reach what its users
 * must not: itself, its link, its cloud's metadata. Names are judged by what they resolve to, at the moment of
 * connecting, so that a name that changes its mind gains nothing.
 */
import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { CodedError } from '../runtime/errors.ts';

export type AddressClass = 'public' | 'private' | 'loopback' | 'link-local' | 'metadata' | 'unspecified' | 'multicast';

/** Private networks are where registries of one's own live, so they may be asked. */
const REACHABLE: ReadonlySet<AddressClass> = new Set(['public', 'private']);

/** Where clouds keep instance credentials: AWS, GCP, Azure; AWS on IPv6; Alibaba; Oracle. */
const METADATA = new Set(['169.254.169.254', 'fd00:ec2::254', '100.100.100.200', '192.0.0.192']);
const METADATA_KEYS = new Set([...METADATA].map((address) => keyOf(address)));

/** What an IP address is; undefined for text that is none. IPv4 inside IPv6 is judged as IPv4. */
export function classifyAddress(address: string): AddressClass | undefined {
  if (isIP(address) === 0) return undefined;
  if (METADATA_KEYS.has(keyOf(address))) return 'metadata';
  if (isIP(address) === 4) return classifyV4(bytesOfV4(address));
  const groups = groupsOfV6(address);
  const embedded = embeddedV4(groups);
  return embedded === undefined ? classifyV6(groups) : classifyAddress(embedded);
}

/** Refuses a URL whose host is an address that may not be reached; names pass, `guardedLookup` judges them. */
export function refuseForbiddenAddress(url: URL): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const found = classifyAddress(host);
  if (found !== undefined && !REACHABLE.has(found)) throw forbidden(host, found);
}

/** A DNS lookup for `net.connect` that answers with reachable addresses only, and fails when there are none. */
export function guardedLookup(lookup: typeof systemLookup = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, []);
      const allowed = found.filter(({ address }) => REACHABLE.has(classifyAddress(address) ?? 'unspecified'));
      const [first] = allowed;
      if (first === undefined) {
        const address = found[0]?.address ?? 'nothing';
        return callback(forbidden(hostname, classifyAddress(address) ?? 'unspecified', address), []);
      }
      if (options.all) return callback(null, allowed);
      callback(null, first.address, first.family);
    });
  };
}

function forbidden(host: string, found: AddressClass, address = host): CodedError {
  const shown = address === host ? `"${host}"` : `"${host}" (${address})`;
  return new CodedError(
    'PERMISSION_DENIED',
    `Request to ${shown} is refused: a ${found} address is reached only as a configured registry, with its port ([[upstream.registry]] host and endpoint)`,
  );
}

function classifyV4([a = 0, b = 0]: readonly number[]): AddressClass {
  if (a === 127) return 'loopback';
  if (a === 0) return 'unspecified';
  if (a === 169 && b === 254) return 'link-local';
  if (a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 100 && b >= 64 && b < 128)) {
    return 'private';
  }
  return a >= 224 ? 'multicast' : 'public';
}

function classifyV6(groups: readonly number[]): AddressClass {
  const first = groups[0] ?? 0;
  const isLow = groups.slice(0, 7).every((group) => group === 0);
  if (isLow && groups[7] === 1) return 'loopback';
  if (isLow && groups[7] === 0) return 'unspecified';
  if (first >= 0xfe80 && first <= 0xfebf) return 'link-local';
  if (first >= 0xff00) return 'multicast';
  return (first & 0xfe00) === 0xfc00 || (first >= 0xfec0 && first <= 0xfeff) ? 'private' : 'public';
}

/** IPv4-mapped (::ffff:a.b.c.d), IPv4-compatible (::a.b.c.d), NAT64 (64:ff9b::/96) and 6to4 (2002::/16). */
function embeddedV4(groups: readonly number[]): string | undefined {
  const [g0, g1, g2] = groups;
  const tail = groups.slice(6);
  const starts = (...wanted: number[]) => wanted.every((group, at) => groups[at] === group);
  if (starts(0, 0, 0, 0, 0, 0xffff) || starts(0x64, 0xff9b, 0, 0, 0, 0)) return textOfV4(tail);
  if (starts(0, 0, 0, 0, 0, 0) && (tail[0] !== 0 || (tail[1] ?? 0) > 1)) return textOfV4(tail);
  return g0 === 0x2002 ? textOfV4([g1 ?? 0, g2 ?? 0]) : undefined;
}

function textOfV4(groups: readonly number[]): string {
  return groups.flatMap((group) => [group >> 8, group & 0xff]).join('.');
}

function bytesOfV4(address: string): number[] {
  return address.split('.').map(Number);
}

/** The eight 16-bit groups of a valid IPv6 address; a zone (`%eth0`) is left out. */
function groupsOfV6(address: string): number[] {
  const plain = address.replace(/%.*$/, '').replace(/\d+\.\d+\.\d+\.\d+$/, (v4) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytesOfV4(v4);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = '', tail] = plain.split('::');
  const parse = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const before = parse(head);
  if (tail === undefined) return before;
  const after = parse(tail);
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function keyOf(address: string): string {
  return isIP(address) === 4 ? address : groupsOfV6(address).join(':');
}
