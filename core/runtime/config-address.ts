/** Socket addresses as people write them: `HOST:PORT`, IPv6 in brackets. Pure. */
import { isIP } from 'node:net';
import { CodedError } from './errors.ts';

export interface HostPort {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

const HOST_NAME = /^(?!-)[A-Za-z0-9-_]{1,63}(?:\.[A-Za-z0-9-_]{1,63})*\.?$/;

/**
 * `"127.0.0.1:7950"`, `"[::1]:7950"`, `"node-a:7950"`. Port 0 asks the system for one.
 * @throws CodedError INVALID_ARGUMENT naming the value
 */
export function parseHostPort(text: string): HostPort {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text.trim()) ?? [];
  const host = bracketed ?? plain ?? '';
  const port = Number(digits);
  const isHost = bracketed === undefined ? isIP(host) === 4 || isHostName(host) : isIP(host) === 6;
  if (!isHost || !(port <= 65_535)) {
    const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
    throw new CodedError('INVALID_ARGUMENT', `"${shown}" is not HOST:PORT (an IPv6 address stands in brackets)`);
  }
  return { host, port };
}

/** The form that `parseHostPort` reads. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** True for 127.0.0.0/8, ::1 (also mapped) and `localhost`. */
export function isLoopback(host: string): boolean {
  const plain = host.toLowerCase().replace(/^::ffff:/, '');
  return plain === 'localhost' || plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
}

/** True when one process listening on both would fail: the same port on the same or on every address. */
export function isSameListener(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || isWildcard(a.host) || isWildcard(b.host);
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** A DNS name; digits and dots only are a mistyped IPv4 address. */
function isHostName(host: string): boolean {
  return host.length <= 253 && HOST_NAME.test(host) && !/^[\d.]+$/.test(host);
}
