/** A mesh key as a certificate authority: every node that has the key derives the same one. */
import { createHash, createPrivateKey, createPublicKey, hkdfSync, X509Certificate } from 'node:crypto';
import { type Authority, authorityCertificate } from './certificate.ts';

/** Says what the derived key is for, so that it has nothing in common with what seals gossip (RFC 5869 section 3.2). */
const LABEL = 'shoal peer port certificate authority 1';

/** An Ed25519 private key as PKCS #8 (RFC 8410 section 7), before its 32 bytes. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The same on every node, because the certificate must be; an authority ends with its key, not with a date. */
const AUTHORITY_VALIDITY = { fromMs: Date.UTC(2020, 0, 1), untilMs: Date.UTC(9999, 11, 31, 23, 59, 59) };

export interface KeyAuthority extends Authority {
  /** Tells keys apart without giving anything of them away. */
  readonly id: string;
  readonly certificatePem: string;
  /** The same, read. */
  readonly certificate: X509Certificate;
}

/** `key` 16, 24 or 32 random bytes. */
export function deriveAuthority(key: Uint8Array): KeyAuthority {
  const seed = Buffer.from(hkdfSync('sha256', key, new Uint8Array(0), LABEL, 32));
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const id = createHash('sha256').update(publicKey).digest('hex').slice(0, 16);
  const name = `shoal mesh ${id}`;
  const certificatePem = authorityCertificate({ name, privateKey }, AUTHORITY_VALIDITY);
  return { id, name, privateKey, certificatePem, certificate: new X509Certificate(certificatePem) };
}
