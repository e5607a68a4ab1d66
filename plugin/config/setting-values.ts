/** How single values of the node configuration are written: sockets, names, peers to join. Pure; each throws with the reason. */
import { type HostPort, parseHostPort } from '../../core/runtime/config-address.ts';
import { absolutePath } from '../../core/runtime/config-path.ts';
import { CodedError } from '../../core/runtime/errors.ts';

/** Linux `sockaddr_un.sun_path` without its terminating zero. */
const SOCKET_PATH_BYTES_MAX = 107;
const DNS_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9.])?$/;
const NODE_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/;
const ZONE_NAME = /^[A-Za-z0-9._-]{0,63}$/;

/** Where other members may be found: one address, every address of a name, or the targets of an SRV record. */
export type JoinAddress =
  | { readonly kind: 'address'; readonly address: HostPort }
  | { readonly kind: 'dns'; readonly name: string; readonly port: number }
  | { readonly kind: 'srv'; readonly name: string };

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
