/** What this node presents and whom it trusts, at any moment: the keyring's authorities, or the operator's files. */
import { createHash, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../../../core/runtime/clock.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import type { PeerIdentity } from '../identity.ts';
import { nodeCertificate } from './certificate.ts';
import { deriveAuthority, type KeyAuthority } from './key-authority.ts';
import { isNodeName, peerNames } from './peer-names.ts';

const HOUR_MS = 3_600_000;
/** A node's clock may be so far behind; backdating costs nothing, since whoever has the key can be anyone at any time. */
export const BACKDATED_MS = 24 * HOUR_MS;
/** … or so far ahead, less `RENEWED_AFTER_MS`. */
export const VALID_FOR_MS = 72 * HOUR_MS;
export const RENEWED_AFTER_MS = 24 * HOUR_MS;

/** As memberlist's keyring; each key is an authority that every handshake may have to try. */
export const KEYS_MAX = 16;

export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly ca: string[];
  /** Of the authority that signed `cert`. */
  readonly authorityId: string;
}

/** Whoever proved to be a member. */
export interface ProvenPeer {
  readonly names: readonly string[];
  readonly authorityId: string;
}

export class PeerTrust {
  readonly #nodeName: string;
  readonly #clock: Clock;
  readonly #keys: { privateKey: KeyObject; publicKey: KeyObject };
  #authorities: KeyAuthority[] = [];
  #files: TlsMaterial | undefined;
  #material: TlsMaterial | undefined;
  #madeAtMs = 0;

  /** @throws CodedError INVALID_ARGUMENT when the name cannot stand in a certificate or the keys are none */
  constructor(deps: { nodeName: string; identity: PeerIdentity; clock: Clock }) {
    this.#nodeName = deps.nodeName;
    this.#clock = deps.clock;
    if (!isNodeName(deps.nodeName)) {
      throw new CodedError('INVALID_ARGUMENT', `Node name "${deps.nodeName}" cannot stand in a certificate`);
    }
    this.#keys = generateKeyPairSync('ed25519');
    if (deps.identity.kind === 'keyring') this.setKeyring(deps.identity.keys);
    if (deps.identity.kind === 'files') this.setFiles(deps.identity);
  }

  get isSecure(): boolean {
    return this.#files !== undefined || this.#authorities.length > 0;
  }

  /** @returns the authorities that are trusted no more. @throws CodedError INVALID_ARGUMENT, and nothing has changed */
  setKeyring(keys: readonly Uint8Array[]): ReadonlySet<string> {
    if (keys.length === 0 || keys.length > KEYS_MAX) {
      throw new CodedError(
        'INVALID_ARGUMENT',
        `A keyring of ${keys.length} keys is refused: 1 to ${KEYS_MAX} are wanted`,
      );
    }
    if (keys.some((key) => ![16, 24, 32].includes(key.length))) {
      throw new CodedError('INVALID_ARGUMENT', 'A key of the keyring has not 16, 24 or 32 bytes');
    }
    const before = this.#authorities;
    this.#authorities = keys.map(deriveAuthority);
    this.#material = undefined;
    const kept = new Set(this.#authorities.map(({ id }) => id));
    return new Set(before.map(({ id }) => id).filter((id) => !kept.has(id)));
  }

  /** The operator's own, anew. @returns as `setKeyring`: what is trusted no more, when `ca` is another text */
  setFiles(files: Extract<PeerIdentity, { kind: 'files' }>): ReadonlySet<string> {
    const before = this.#files?.authorityId;
    this.#files = checkedFiles(files);
    return new Set(before === undefined || before === this.#files.authorityId ? [] : [before]);
  }

  /** What to present and trust now: the same object until it is made anew because that is due. Undefined where there is no TLS. */
  material(): TlsMaterial | undefined {
    if (this.#files !== undefined) return this.#files;
    if (this.#material === undefined || this.#isDue()) this.#material = this.#make();
    return this.#material;
  }

  /** Who holds a certificate that OpenSSL has accepted; undefined when it names no node or its authority has gone. */
  prove(certificate: X509Certificate | undefined): ProvenPeer | undefined {
    const names = certificate === undefined ? [] : peerNames(certificate);
    const authorityId = certificate === undefined ? undefined : this.#authorityOf(certificate);
    return names.length === 0 || authorityId === undefined ? undefined : { names, authorityId };
  }

  #authorityOf(certificate: X509Certificate): string | undefined {
    if (this.#files !== undefined) return this.#files.authorityId;
    const signer = this.#authorities.find(
      (authority) =>
        certificate.checkIssued(authority.certificate) && certificate.verify(authority.certificate.publicKey),
    );
    return signer?.id;
  }

  /** Wall time may jump either way. */
  #isDue(): boolean {
    return Math.abs(this.#clock.now() - this.#madeAtMs) >= RENEWED_AFTER_MS;
  }

  #make(): TlsMaterial | undefined {
    const [first] = this.#authorities;
    if (first === undefined) return undefined;
    const nowMs = this.#clock.now();
    const validity = { fromMs: nowMs - BACKDATED_MS, untilMs: nowMs + VALID_FOR_MS };
    const { privateKey, publicKey } = this.#keys;
    this.#madeAtMs = nowMs;
    return {
      cert: nodeCertificate(first, { name: this.#nodeName, publicKey, validity }),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      ca: this.#authorities.map(({ certificatePem }) => certificatePem),
      authorityId: first.id,
    };
  }
}

function checkedFiles({ cert, key, ca }: Extract<PeerIdentity, { kind: 'files' }>): TlsMaterial {
  try {
    const authorityId = createHash('sha256').update(ca).digest('hex');
    const material = { cert, key, ca: [ca], authorityId };
    createSecureContext(material);
    if (peerNames(new X509Certificate(cert)).length > 0) return material;
  } catch (error) {
    throw new CodedError('INVALID_ARGUMENT', 'The certificates for the peer port cannot be read', { cause: error });
  }
  throw new CodedError('INVALID_ARGUMENT', 'The certificate for the peer port names no node');
}
