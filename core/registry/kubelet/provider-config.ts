/**
 * The kubelet's CredentialProviderConfig (kubelet.config.k8s.io v1, v1beta1, v1alpha1), YAML or JSON. What the kubelet would not
 * start with is left out and told, entry by entry: the file is the kubelet's own, and its mistakes are not this node's. Pure.
 */
import { parse } from 'yaml';
import { type JsonObject, isJsonObject } from '../../oci/descriptor-json.ts';
import { CodedError, messageOf } from '../../runtime/errors.ts';
import { parseGoDuration } from '../../runtime/go-duration.ts';

const CONFIG_VERSION = /^kubelet\.config\.k8s\.io\/v1(?:alpha1|beta1)?$/;
const PROVIDER_VERSION = /^credentialprovider\.kubelet\.k8s\.io\/v1(?:alpha1|beta1)?$/;
/** More providers, globs, arguments or variables are not a kubelet's file. */
const ITEMS_MAX = 256;
const ALIASES_MAX = 64;

export interface ProviderSpec {
  /** The program in the bin directory. */
  readonly name: string;
  /** Of request and answer. */
  readonly apiVersion: string;
  readonly matchImages: readonly string[];
  readonly defaultCacheMs: number;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
}

export interface ProviderConfig {
  readonly providers: readonly ProviderSpec[];
  /** What was left out and why. */
  readonly problems: readonly string[];
}

/** @throws CodedError INVALID_ARGUMENT when the text is not such a configuration at all */
export function parseProviderConfig(text: string): ProviderConfig {
  const json = documentOf(text);
  if (!isJsonObject(json) || json.kind !== 'CredentialProviderConfig') throw wrong('it is no CredentialProviderConfig');
  if (typeof json.apiVersion !== 'string' || !CONFIG_VERSION.test(json.apiVersion)) {
    throw wrong('its apiVersion is not kubelet.config.k8s.io/v1, v1beta1 or v1alpha1');
  }
  const { providers: list } = json;
  if (!Array.isArray(list) || list.length === 0 || list.length > ITEMS_MAX) {
    throw wrong(`it has no providers, or more than ${ITEMS_MAX}`);
  }
  const providers: ProviderSpec[] = [];
  const problems: string[] = [];
  list.forEach((entry: unknown, index) => {
    try {
      const provider = providerOf(entry);
      if (providers.some(({ name }) => name === provider.name)) throw wrong('its name is given more than once');
      providers.push(provider);
    } catch (error) {
      problems.push(`providers[${index}] is left out: ${messageOf(error)}`);
    }
  });
  return { providers, problems };
}

function documentOf(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: ALIASES_MAX, logLevel: 'silent' });
  } catch (error) {
    throw wrong(`it is neither YAML nor JSON: ${messageOf(error).split('\n', 1)[0]}`);
  }
}

function providerOf(entry: unknown): ProviderSpec {
  if (!isJsonObject(entry)) throw wrong('it is no object');
  const { name, apiVersion } = entry;
  if (typeof name !== 'string' || !/^[^/ \0]+$/.test(name) || name === '.' || name === '..') {
    throw wrong('its name is not that of a program in the bin directory');
  }
  if (typeof apiVersion !== 'string' || !PROVIDER_VERSION.test(apiVersion)) {
    throw wrong('its apiVersion is not credentialprovider.kubelet.k8s.io/v1, v1beta1 or v1alpha1');
  }
  if (needsServiceAccount(entry)) throw wrong("it needs a pod's service account token, and a node has none");
  const matchImages = textsOf(entry, 'matchImages');
  if (matchImages.length === 0) throw wrong('it has no matchImages');
  return {
    ...{ name, apiVersion, matchImages },
    defaultCacheMs: cacheMsOf(entry),
    args: textsOf(entry, 'args'),
    env: envOf(entry),
  };
}

function cacheMsOf({ defaultCacheDuration }: JsonObject): number {
  if (typeof defaultCacheDuration !== 'string') throw wrong('it has no defaultCacheDuration');
  const ms = parseGoDuration(defaultCacheDuration);
  if (ms < 0) throw wrong('its defaultCacheDuration is negative');
  return ms;
}

/** Where a service account is not required the kubelet asks without its token as well. */
function needsServiceAccount({ tokenAttributes }: JsonObject): boolean {
  return isJsonObject(tokenAttributes) && tokenAttributes.requireServiceAccount !== false;
}

function textsOf(entry: JsonObject, key: string): string[] {
  const value = entry[key] ?? [];
  const isList = Array.isArray(value) && value.length <= ITEMS_MAX;
  if (!isList || !value.every((item) => typeof item === 'string')) throw wrong(`its ${key} is not a list of texts`);
  return value;
}

function envOf({ env = [] }: JsonObject): { name: string; value: string }[] {
  if (env === null) return [];
  if (!Array.isArray(env) || env.length > ITEMS_MAX) throw wrong('its env is not a list');
  return env.map((item: unknown) => {
    const { name, value = '' } = isJsonObject(item) ? item : {};
    if (typeof name === 'string' && name !== '' && typeof value === 'string') return { name, value };
    throw wrong('its env has an entry without name and value');
  });
}

function wrong(reason: string): CodedError {
  return new CodedError('INVALID_ARGUMENT', reason);
}
