/** The names that a proven certificate carries. */
import type { X509Certificate } from 'node:crypto';

/** A member's name in the mesh; whatever else a certificate names (addresses, wildcards) is nobody's. */
const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** The common name first, then the DNS names in their order; the first is what its holder is called. */
export function peerNames(certificate: X509Certificate): string[] {
  const common = certificate.subject
    ?.split('\n')
    .find((part) => part.startsWith('CN='))
    ?.slice('CN='.length);
  const alternatives = (certificate.subjectAltName ?? '').split(', ');
  const dns = alternatives.filter((entry) => entry.startsWith('DNS:')).map((entry) => entry.slice('DNS:'.length));
  const names = common === undefined ? dns : [common, ...dns];
  return [...new Set(names.filter((name) => NODE_NAME.test(name)))];
}

export function isNodeName(name: string): boolean {
  return NODE_NAME.test(name);
}
