/** IP addresses as text and as bytes (Go's net.IP). A mapped IPv4 address is the IPv4 address. Pure. */
import { isIP } from 'node:net';
import { WireFault } from './wire-fault.ts';

const IPV4_MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

/** Text in its canonical form (RFC 5952); "" of no bytes. @throws WireFault malformed for another length than 0, 4, 16 */
export function addressFromBytes(bytes: Uint8Array): string {
  if (bytes.length === 0) return '';
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) throw new WireFault('malformed', `An IP address has ${bytes.length} bytes`);
  if (IPV4_MAPPED.equals(bytes.subarray(0, 12))) return bytes.subarray(12).join('.');
  return compressed(bytes);
}

/** 4 bytes of an IPv4 address, 16 of an IPv6 one. `text` must be an IP address. */
export function addressToBytes(text: string): Uint8Array {
  if (isIP(text) === 4) return Uint8Array.from(text.split('.'), Number);
  const [head = '', tail] = withoutDots(text).split('::');
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const missing = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => 0);
  const result = Buffer.alloc(16);
  for (const [index, group] of [...before, ...missing, ...after].slice(0, 8).entries()) {
    result.writeUInt16BE(group, index * 2);
  }
  return result;
}

/** The canonical form of any way to write an address, so that equal addresses are equal texts; undefined when it is none. */
export function canonicalAddress(text: string): string | undefined {
  const plain = text.replace(/%.*$/, '');
  return isIP(plain) === 0 ? undefined : addressFromBytes(addressToBytes(plain));
}

/** `::ffff:10.0.0.1` with its last four bytes in hexadecimal. */
function withoutDots(text: string): string {
  const [, head = '', dotted] = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text) ?? [];
  if (dotted === undefined) return text;
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number);
  return `${head}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

/** The first longest run of two or more zero groups becomes `::`. */
function compressed(bytes: Uint8Array): string {
  const view = Buffer.from(bytes);
  const parts = Array.from({ length: 8 }, (_, index) => view.readUInt16BE(index * 2).toString(16));
  const text = parts.join(':');
  const runs = [...text.matchAll(/(?<![^:])0(?::0)+(?![^:])/g)].sort((a, b) => b[0].length - a[0].length);
  const [longest] = runs;
  if (longest === undefined) return text;
  const before = text.slice(0, longest.index).replace(/:$/, '');
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '');
  return `${before}::${after}`;
}
