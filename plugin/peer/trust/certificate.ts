/** X.509 certificates (RFC 5280) with Ed25519 keys (RFC 8410): an authority, and a node's that it signs. */
import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { bits, integer, isTrue, objectId, octets, sequence, set, tagged, time, utf8 } from './der.ts';

/** Longest common name (RFC 5280 appendix A, `ub-common-name`); a longer name stands in the alternative names only. */
const COMMON_NAME_MAX = 64;

const ED25519 = sequence(objectId('1.3.101.112'));
const COMMON_NAME = '2.5.4.3';
const EXTENSION = {
  subjectKey: '2.5.29.14',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKey: '2.5.29.35',
  extendedUsage: '2.5.29.37',
} as const;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const KEY_CERT_SIGN = 0b0000_0100;
const DIGITAL_SIGNATURE = 0b1000_0000;

/** Wall times, milliseconds since the Unix epoch. */
export interface Validity {
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface Authority {
  readonly name: string;
  readonly privateKey: KeyObject;
}

/** @returns PEM. The same authority and validity give the same bytes on every node. */
export function authorityCertificate(authority: Authority, validity: Validity): string {
  const publicKey = createPublicKey(authority.privateKey);
  return signed(authority, {
    serial: Buffer.from([1]),
    subject: nameOf(authority.name),
    publicKey,
    validity,
    extensions: [
      extension(EXTENSION.basicConstraints, sequence(isTrue(), integer(Buffer.from([0]))), 'critical'),
      extension(EXTENSION.keyUsage, bits(Buffer.from([KEY_CERT_SIGN]), 2), 'critical'),
      extension(EXTENSION.subjectKey, octets(keyHash(publicKey))),
    ],
  });
}

/** A node's certificate, for both ends of a connection. `name` in ASCII. @returns PEM */
export function nodeCertificate(
  authority: Authority,
  node: { name: string; publicKey: KeyObject; validity: Validity },
): string {
  const issuerKey = keyHash(createPublicKey(authority.privateKey));
  return signed(authority, {
    serial: Buffer.concat([Buffer.from([0x40]), randomBytes(15)]),
    subject: node.name.length <= COMMON_NAME_MAX ? nameOf(node.name) : sequence(),
    publicKey: node.publicKey,
    validity: node.validity,
    extensions: [
      extension(EXTENSION.basicConstraints, sequence(), 'critical'),
      extension(EXTENSION.keyUsage, bits(Buffer.from([DIGITAL_SIGNATURE]), 7), 'critical'),
      extension(EXTENSION.extendedUsage, sequence(objectId(SERVER_AUTH), objectId(CLIENT_AUTH))),
      extension(EXTENSION.alternativeNames, sequence(tagged(0x82, Buffer.from(node.name, 'latin1'))), 'critical'),
      extension(EXTENSION.subjectKey, octets(keyHash(node.publicKey))),
      extension(EXTENSION.authorityKey, sequence(tagged(0x80, issuerKey))),
    ],
  });
}

interface ToSign {
  readonly serial: Uint8Array;
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
  readonly validity: Validity;
  readonly extensions: readonly Buffer[];
}

function signed(authority: Authority, facts: ToSign): string {
  const version3 = tagged(0xa0, integer(Buffer.from([2])));
  const body = sequence(
    version3,
    integer(facts.serial),
    ED25519,
    nameOf(authority.name),
    sequence(time(facts.validity.fromMs), time(facts.validity.untilMs)),
    facts.subject,
    facts.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...facts.extensions)),
  );
  return toPem(sequence(body, ED25519, bits(sign(null, body, authority.privateKey))));
}

function extension(id: string, value: Buffer, critical?: 'critical'): Buffer {
  return sequence(objectId(id), ...(critical === undefined ? [] : [isTrue()]), octets(value));
}

function nameOf(commonName: string): Buffer {
  return sequence(set(sequence(objectId(COMMON_NAME), utf8(commonName))));
}

/** The first method of RFC 7093 section 2: 160 bits of the SHA-256 of the key. */
function keyHash(publicKey: KeyObject): Buffer {
  const whole = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(whole.subarray(-32)).digest().subarray(0, 20);
}

function toPem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
