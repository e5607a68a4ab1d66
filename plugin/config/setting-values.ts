/** How single values of the node configuration are written: paths, registries, peers to join. Pure; each throws with the reason. */
import { isAbsolute, normalize } from 'node:path';
import { type HostPort, parseHostPort } from '../../core/runtime/config-address.ts';
import { CodedError } from '../../core/runtime/errors.ts';

/** Linux `sockaddr_un.sun_path` without its terminating zero. */
const SOCKET_PATH_BYTES_MAX = 107;
const REGISTRY_HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)(?::\d{1,5})?$/;
const DNS_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9.])?$/;
const NODE_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/;
const ZONE_NAME = /^[A-Za-z0-9._-]{0,63}$/;

/** Where other members may be found: one address, every address of a name, or the targets of an SRV record. */
export type JoinAddress =
  | { readonly kind: 'address'; readonly address: HostPort }
  | { readonly kind: 'dns'; readonly name: string; readonly port: number }
  | { readonly kind: 'srv'; readonly name: string };

/** A path that does not depend on where the daemon was started. */
export function absolutePath(text: string): string {
  if (!isAbsolute(text) || text.includes('\0')) throw invalid(text, 'an absolute path');
  return normalize(text);
}

/** A path short enough for a unix socket. */
export function socketPath(text: string): string {
  const path = absolutePath(text);
  const bytes = Buffer.byteLength(path);
  if (bytes <= SOCKET_PATH_BYTES_MAX) return path;
  throw new CodedError(
    'INVALID_ARGUMENT',
    `"${path}" has ${bytes} bytes, a socket path at most ${SOCKET_PATH_BYTES_MAX}`,
  );
}

/** A member's name in the mesh; dots and dashes inside only. */
export function nodeName(text: string): string {
  if (!NODE_NAME.test(text)) throw invalid(text, 'a node name (letters, digits, ".", "_", "-"; 128 at most)');
  return text;
}

export function zoneName(text: string): string {
  if (!ZONE_NAME.test(text)) throw invalid(text, 'a zone name (letters, digits, ".", "_", "-"; 63 at most)');
  return text;
}

/** A registry as references name it: host, with a port when it is not the scheme's own. */
export function registryHost(text: string): string {
  if (!REGISTRY_HOST.test(text)) throw invalid(text, 'a registry host, as "docker.io" or "registry.example:5000"');
  return text.toLowerCase();
}

/** Where a registry is reached, without a trailing slash. Credentials have keys of their own. */
export function endpointUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw invalid(text, 'an http:// or https:// address');
  if (url.username !== '' || url.password !== '') {
    throw new CodedError(
      'INVALID_ARGUMENT',
      'Credentials do not belong in an endpoint; use username and password_file',
    );
  }
  if (url.search !== '' || url.hash !== '') throw invalid(text, 'an address without query and fragment');
  return url.href.replace(/\/+$/, '');
}

/** `"10.0.0.1:7946"`, `"dns:name:port"` or `"dnssrv:name"`. */
export function joinAddress(text: string): JoinAddress {
  const [, scheme, rest = ''] = /^(dns|dnssrv):(.*)$/.exec(text) ?? [];
  if (scheme === 'dnssrv') {
    if (!DNS_NAME.test(rest)) throw invalid(text, 'dnssrv: and a DNS name');
    return { kind: 'srv', name: rest };
  }
  if (scheme === undefined) return { kind: 'address', address: parseHostPort(text) };
  const { host, port } = parseHostPort(rest);
  return { kind: 'dns', name: host, port };
}

function invalid(text: string, wanted: string): CodedError {
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  return new CodedError('INVALID_ARGUMENT', `"${shown}" is not ${wanted}`);
}
