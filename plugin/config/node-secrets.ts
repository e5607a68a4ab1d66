/**
 * The secrets that a configuration points at, in a type of their own: nothing in here shows itself in a log, a message
 * or JSON.
 */
import { CodedError, messageOf } from '../../core/runtime/errors.ts';
import type { NodeConfig } from '../config.ts';
import { parseKeyring } from './keyring-file.ts';

/** A text that only `reveal` shows. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }
}

export interface NodeSecrets {
  /** What changes things at the admin address; undefined = loopback only. */
  readonly adminToken: Secret | undefined;
  /** By registry host, for those with a `username`. */
  readonly registryPasswords: ReadonlyMap<string, Secret>;
  /** The mesh's keyring, the first key seals; empty without `mesh.key_file`. Not to be shown. */
  readonly meshKeys: readonly Uint8Array[];
}

/** Longer than any token or password that a registry takes. */
export const SECRET_BYTES_MAX = 64 * 1024;

/**
 * Reads the files that `config` names; a final line break is not part of a secret.
 * `read` gives a file's text.
 * @throws CodedError INVALID_ARGUMENT naming key and file, when one cannot be read, is empty or too long
 */
export async function readNodeSecrets(
  config: NodeConfig,
  read: (file: string) => Promise<string>,
): Promise<NodeSecrets> {
  const { tokenFile } = config.admin;
  const { keyFile } = config.mesh;
  const passwords = new Map<string, Secret>();
  for (const [index, { host, passwordFile }] of config.upstream.registries.entries()) {
    if (passwordFile === undefined) continue;
    passwords.set(host, await readSecret(`upstream.registry[${index}].password_file`, passwordFile, read));
  }
  return {
    adminToken: tokenFile === undefined ? undefined : await readSecret('admin.token_file', tokenFile, read),
    registryPasswords: passwords,
    meshKeys:
      keyFile === undefined ? [] : parseKeyring((await readSecret('mesh.key_file', keyFile, read)).reveal(), keyFile),
  };
}

async function readSecret(key: string, file: string, read: (file: string) => Promise<string>): Promise<Secret> {
  const text = await read(file).catch((error: unknown) => {
    throw new CodedError('INVALID_ARGUMENT', `Reading ${key} "${file}" failed: ${messageOf(error)}`, { cause: error });
  });
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw new CodedError('INVALID_ARGUMENT', `${key} "${file}" is empty`);
  if (text.length > SECRET_BYTES_MAX) {
    throw new CodedError('INVALID_ARGUMENT', `${key} "${file}" has more than ${SECRET_BYTES_MAX} characters`);
  }
  return new Secret(secret);
}
