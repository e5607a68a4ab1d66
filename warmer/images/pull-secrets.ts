/**
 * Pull secrets out of manifests and clusters: kept in memory only, used for the registries that they name only. What a
 * secret says of credential helpers is not read at all: whoever can write a secret could run programs here.
 */
import type { Reference } from '../../core/oci/reference.ts';
import { type Credential, fingerprintOf } from '../../core/registry/credentials.ts';
import { parseDockerConfig } from '../../core/registry/docker-config.ts';
import { messageOf } from '../../core/runtime/errors.ts';
import type { SourceDocument } from '../sources/documents.ts';
import { field, isRecord, listField, textField } from '../sources/extract/values.ts';
import type { Unresolved } from '../sources/unresolved.ts';
import type { PullIdentity } from './images.ts';
import { matchingKeys } from './secret-match.ts';

const SECRETS_MAX = 20_000;
const ACCOUNTS_MAX = 100_000;
/** etcd keeps no larger ones. */
const SECRET_LENGTH_MAX = 2 * 1024 * 1024;
/** Credentials tried for one image. */
const CREDENTIALS_MAX = 16;

const CONFIG_KEYS: ReadonlyMap<string, string> = new Map([
  ['kubernetes.io/dockerconfigjson', '.dockerconfigjson'],
  ['kubernetes.io/dockercfg', '.dockercfg'],
]);

export class PullSecrets {
  readonly #secrets = new Map<string, ReadonlyMap<string, Credential>>();
  readonly #accounts = new Map<string, readonly string[]>();

  /** Takes what a document holds of secrets; anything else is left alone. What cannot be read is told, without its content. */
  add(document: SourceDocument): Unresolved | undefined {
    const { value } = document;
    if (textField(value, 'apiVersion') !== 'v1') return undefined;
    const kind = textField(value, 'kind');
    const key = keyOf(textField(value, 'metadata', 'namespace'), textField(value, 'metadata', 'name') ?? '');
    if (kind === 'ServiceAccount' && this.#accounts.size < ACCOUNTS_MAX) {
      const names = listField(value, 'imagePullSecrets').flatMap((entry) => textField(entry, 'name') ?? []);
      this.#accounts.set(key, names);
    }
    return kind === 'Secret' && this.#secrets.size < SECRETS_MAX ? this.#addSecret(document, key) : undefined;
  }

  /** Credentials for an image, in the kubelet's order: the pod's own secrets, then those of its service account. */
  credentialsFor(identities: readonly PullIdentity[], reference: Reference): Credential[] {
    const found = new Map<string, Credential>();
    for (const { namespace, imagePullSecrets, serviceAccountName } of identities) {
      const account = this.#accounts.get(keyOf(namespace, serviceAccountName)) ?? [];
      for (const name of [...imagePullSecrets, ...account]) {
        const auths = this.#secrets.get(keyOf(namespace, name));
        for (const key of matchingKeys(auths?.keys() ?? [], reference)) {
          const credential = auths?.get(key);
          if (credential !== undefined) found.set(fingerprintOf(credential), credential);
        }
      }
    }
    return [...found.values()].slice(0, CREDENTIALS_MAX);
  }

  /** Nothing of it shows itself in a log or in JSON. */
  toJSON(): string {
    return `[${this.#secrets.size} secrets]`;
  }

  #addSecret(document: SourceDocument, key: string): Unresolved | undefined {
    const { value, file, document: number } = document;
    const dataKey = CONFIG_KEYS.get(textField(value, 'type') ?? '');
    if (dataKey === undefined) return undefined;
    try {
      this.#secrets.set(key, authsOf(value, dataKey));
      return undefined;
    } catch (error) {
      const place = { file, document: number, line: document.lineOf(['data', dataKey]) };
      return { ...place, value: dataKey, reason: `The pull secret is not read: ${messageOf(error)}` };
    }
  }
}

function authsOf(secret: unknown, dataKey: string): ReadonlyMap<string, Credential> {
  const plain = field(secret, 'stringData', dataKey);
  const encoded = field(secret, 'data', dataKey);
  if (typeof plain !== 'string' && typeof encoded !== 'string') throw new TypeError(`it has no "${dataKey}"`);
  const text = typeof plain === 'string' ? plain : Buffer.from(String(encoded), 'base64').toString('utf8');
  if (text.length > SECRET_LENGTH_MAX) throw new TypeError(`it has more than ${SECRET_LENGTH_MAX} characters`);
  const isBareMap = dataKey === '.dockercfg';
  const json: unknown = isBareMap ? JSON.parse(text) : undefined;
  if (isBareMap && !isRecord(json)) throw new TypeError('it is no map');
  const config = isBareMap ? JSON.stringify({ auths: json }) : text;
  return parseDockerConfig(Buffer.from(config)).auths;
}

function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? 'default'}/${name}`;
}
