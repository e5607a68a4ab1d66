/**
 * docker's `config.json`, the parts that hold credentials, and docker's rules for finding them (docker/cli
 * `config/configfile`, `config/credentials`). Pure: the file is read, and helpers are run, elsewhere.
 */
import { isJsonObject, type JsonObject, parseJsonObject } from '../oci/descriptor-json.ts';
import { CodedError } from '../runtime/errors.ts';
import type { Credential } from './credentials.ts';

/** docker's key for Docker Hub. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';
const DOCKER_HUB_HOSTS: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);
/** Helpers are run as `docker-credential-<name>`: a name is no path. */
const HELPER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The parsed file. Entries that cannot be understood are in `problems`, without their secrets; the rest counts. */
export interface DockerConfig {
  auths: ReadonlyMap<string, Credential>;
  helpers: ReadonlyMap<string, string>;
  store?: string;
  problems: readonly string[];
}

export const EMPTY_DOCKER_CONFIG: DockerConfig = { auths: new Map(), helpers: new Map(), problems: [] };

/**
 * Parses the file.
 * @throws CodedError INVALID_ARGUMENT when it is not a JSON object
 */
export function parseDockerConfig(bytes: Uint8Array): DockerConfig {
  const json = parseJsonObject(bytes, 'Docker configuration');
  const problems: string[] = [];
  const auths = new Map<string, Credential>();
  for (const [key, entry] of entriesOf(json, 'auths')) {
    try {
      const credential = isJsonObject(entry) ? credentialOf(entry) : undefined;
      if (credential !== undefined) auths.set(key, credential);
    } catch {
      problems.push(`auths["${key}"].auth is not the base64 of user:password`);
    }
  }
  const helpers = new Map<string, string>();
  for (const [key, name] of entriesOf(json, 'credHelpers')) {
    if (isHelperName(name)) helpers.set(key, name);
    else problems.push(`credHelpers["${key}"] is not the name of a helper`);
  }
  const store = json.credsStore;
  if (isHelperName(store)) return { auths, helpers, store, problems };
  if (store !== undefined && store !== '') problems.push('credsStore is not the name of a helper');
  return { auths, helpers, problems };
}

/** docker's name for a registry: what its keys and its helpers are asked for. */
export function dockerKey(host: string): string {
  return DOCKER_HUB_HOSTS.has(host) ? DOCKER_HUB_KEY : host;
}

/** The helper that answers for a host: the host's own before the store. */
export function helperFor(config: DockerConfig, host: string): string | undefined {
  return findByHost(config.helpers, host) ?? config.store;
}

/** What the file itself holds for a host: its exact key first, else a key with that host, whatever its scheme and path. */
export function authFor(config: DockerConfig, host: string): Credential | undefined {
  return findByHost(config.auths, host);
}

function findByHost<T>(map: ReadonlyMap<string, T>, host: string): T | undefined {
  const key = dockerKey(host);
  const exact = map.get(key) ?? map.get(host);
  if (exact !== undefined) return exact;
  const wanted = new Set([hostOfKey(key), host]);
  for (const [candidate, value] of map) {
    if (wanted.has(hostOfKey(candidate))) return value;
  }
  return undefined;
}

/** docker/cli `ConvertToHostname`: scheme and path cut off. */
function hostOfKey(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/s, '');
}

/** docker's order: a bearer token, an identity token, then user and password. Throws on a broken `auth`. */
function credentialOf(entry: JsonObject): Credential | undefined {
  const text = (key: string) => (typeof entry[key] === 'string' ? entry[key] : '');
  if (text('registrytoken') !== '') return { kind: 'bearer', token: text('registrytoken') };
  if (text('identitytoken') !== '') return { kind: 'identity', refreshToken: text('identitytoken') };
  if (text('auth') !== '') return decodeAuth(text('auth'));
  const [username, password] = [text('username'), text('password')];
  return username === '' && password === '' ? undefined : { kind: 'basic', username, password };
}

function decodeAuth(auth: string): Credential {
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon <= 0) throw new CodedError('INVALID_ARGUMENT', 'Entry has no user');
  return { kind: 'basic', username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') };
}

function entriesOf(json: JsonObject, key: string): [string, unknown][] {
  const value = json[key];
  return isJsonObject(value) ? Object.entries(value) : [];
}

function isHelperName(value: unknown): value is string {
  return typeof value === 'string' && HELPER_NAME.test(value);
}
