/** CredentialProviderRequest and CredentialProviderResponse (credentialprovider.kubelet.k8s.io), as JSON. Pure. */
import { isJsonObject } from '../../oci/descriptor-json.ts';
import { CodedError } from '../../runtime/errors.ts';
import { parseGoDuration } from '../../runtime/go-duration.ts';
import type { Credential } from '../credentials.ts';

/** What of an image an answer holds for: itself, its registry, or all that the plugin answers for. */
export type CacheKeyType = 'Image' | 'Registry' | 'Global';

export interface ProviderAnswer {
  readonly cacheKeyType: CacheKeyType;
  /** undefined = the configuration's default. */
  readonly cacheMs: number | undefined;
  /** By globs of images. */
  readonly auth: ReadonlyMap<string, Credential>;
}

/** Keys in one answer; clouds give a handful. */
const AUTH_MAX = 1_024;

/** What a plugin reads on its input. */
export function providerRequest(apiVersion: string, image: string): string {
  return `${JSON.stringify({ kind: 'CredentialProviderRequest', apiVersion, image })}\n`;
}

/** @throws CodedError UNAVAILABLE in words that repeat nothing of the answer, which holds secrets */
export function parseProviderAnswer(output: string, apiVersion: string): ProviderAnswer {
  const json = jsonOf(output);
  if (!isJsonObject(json) || json.kind !== 'CredentialProviderResponse')
    throw wrong('is no CredentialProviderResponse');
  if (json.apiVersion !== apiVersion) throw wrong(`has another apiVersion than "${apiVersion}"`);
  const { cacheKeyType } = json;
  if (cacheKeyType !== 'Image' && cacheKeyType !== 'Registry' && cacheKeyType !== 'Global') {
    throw wrong('has no cacheKeyType of Image, Registry and Global');
  }
  return { cacheKeyType, cacheMs: cacheMsOf(json.cacheDuration), auth: authOf(json.auth) };
}

function authOf(auth: unknown): Map<string, Credential> {
  if (auth === undefined || auth === null) return new Map();
  if (!isJsonObject(auth)) throw wrong('has an auth that is no object');
  const entries = Object.entries(auth);
  if (entries.length > AUTH_MAX) throw wrong(`has more than ${AUTH_MAX} entries`);
  return new Map(entries.flatMap(([key, entry]) => entryOf(key, entry)));
}

function entryOf(key: string, entry: unknown): [string, Credential][] {
  const { username = '', password = '' } = isJsonObject(entry) ? entry : {};
  if (typeof username !== 'string' || typeof password !== 'string')
    throw wrong('has a username or password that is no text');
  return username === '' && password === '' ? [] : [[key, { kind: 'basic', username, password }]];
}

function cacheMsOf(duration: unknown): number | undefined {
  if (duration === undefined || duration === null) return undefined;
  if (typeof duration !== 'string') throw wrong('has a cacheDuration that is no duration');
  try {
    return Math.max(0, parseGoDuration(duration));
  } catch {
    throw wrong('has a cacheDuration that is no duration');
  }
}

function jsonOf(output: string): unknown {
  try {
    return JSON.parse(output);
  } catch {
    throw wrong('is not JSON');
  }
}

function wrong(reason: string): CodedError {
  return new CodedError('UNAVAILABLE', `Its answer ${reason}`);
}
