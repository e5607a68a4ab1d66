/** The keys of a mesh: the first seals, all of them open. (memberlist `keyring.go`, `security.go`) */
import { type CipherGCMTypes, createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { CodedError } from '../../../core/runtime/errors.ts';
import { WireFault } from './wire-fault.ts';

/** AES-GCM under encryption version 1: version byte, nonce, text, tag. */
export const SEAL_BYTES = 29;

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const BLOCK_BYTES = 16;
/** Each is tried in turn on what cannot be opened. */
const KEYS_MAX = 16;

const CIPHERS: ReadonlyMap<number, CipherGCMTypes> = new Map([
  [16, 'aes-128-gcm'],
  [24, 'aes-192-gcm'],
  [32, 'aes-256-gcm'],
]);

interface Key {
  readonly bytes: Buffer;
  readonly cipher: CipherGCMTypes;
}

export class Keyring {
  #keys: readonly Key[] = [];
  #first: Key;

  /** @throws CodedError INVALID_ARGUMENT without keys, with too many, or with one that has not 16, 24 or 32 bytes */
  constructor(keys: readonly Uint8Array[]) {
    this.#first = this.#install(keys);
  }

  /** Takes other keys from now on; what the old ones sealed is not opened any more. Errors as the constructor's. */
  replace(keys: readonly Uint8Array[]): void {
    this.#first = this.#install(keys);
  }

  /** Encryption version 1: no padding. `authenticated` is checked with it but not contained. */
  seal(plain: Uint8Array, authenticated: Uint8Array): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(this.#first.cipher, this.#first.bytes, nonce);
    cipher.setAAD(authenticated);
    return Buffer.concat([Buffer.of(1), nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /**
   * Opens versions 0 (PKCS#7 padding) and 1.
   * @throws WireFault: unencrypted for another version, truncated when too short, undecryptable when no key opens it
   */
  open(sealed: Buffer, authenticated: Uint8Array): Buffer {
    const version = sealed[0];
    if (version !== 0 && version !== 1) throw new WireFault('unencrypted', `${version} is no encryption version`);
    const least = 1 + NONCE_BYTES + TAG_BYTES + (version === 0 ? BLOCK_BYTES : 0);
    if (sealed.length < least) throw new WireFault('truncated', 'A sealed message is too short');
    for (const key of this.#keys) {
      const plain = openWith(key, sealed, authenticated);
      if (plain !== undefined) return version === 0 ? withoutPadding(plain) : plain;
    }
    throw new WireFault('undecryptable', 'No key of the keyring opens the message');
  }

  #install(keys: readonly Uint8Array[]): Key {
    if (keys.length > KEYS_MAX) {
      throw new CodedError('INVALID_ARGUMENT', `A keyring has ${keys.length} keys, at most ${KEYS_MAX} are taken`);
    }
    const next = keys.map(keyOf);
    const [first] = next;
    if (first === undefined) throw new CodedError('INVALID_ARGUMENT', 'A keyring has no key, it needs one at least');
    this.#keys = next;
    return first;
  }
}

function keyOf(bytes: Uint8Array): Key {
  const cipher = CIPHERS.get(bytes.length);
  if (cipher === undefined) {
    throw new CodedError('INVALID_ARGUMENT', `A mesh key has ${bytes.length} bytes, it must have 16, 24 or 32`);
  }
  return { bytes: Buffer.from(bytes), cipher };
}

function openWith(key: Key, sealed: Buffer, authenticated: Uint8Array): Buffer | undefined {
  const decipher = createDecipheriv(key.cipher, key.bytes, sealed.subarray(1, 1 + NONCE_BYTES));
  decipher.setAAD(authenticated);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const plain = decipher.update(sealed.subarray(1 + NONCE_BYTES, sealed.length - TAG_BYTES));
  try {
    decipher.final();
    return plain;
  } catch {
    // Not sealed with this key; another may open it.
    return undefined;
  }
}

function withoutPadding(plain: Buffer): Buffer {
  const padding = plain[plain.length - 1] ?? 0;
  if (padding < 1 || padding > BLOCK_BYTES || padding > plain.length) {
    throw new WireFault('malformed', 'The padding of a sealed message is wrong');
  }
  return plain.subarray(0, plain.length - padding);
}
