/** Token servers (distribution, "Token Authentication Specification" and "OAuth2 Token Authentication"). */
import { isJsonObject, type JsonObject, parseJsonObject } from '../oci/descriptor-json.ts';
import { CodedError } from '../runtime/errors.ts';
import type { Credential } from './credentials.ts';
import type { PullToken } from './registry-client.ts';

/** Some are signed JSON with long claims. */
export const TOKEN_ANSWER_BYTES_MAX = 256 * 1024;
/** What the specification says when the server does not, and the least that it may say, seconds. */
const EXPIRES_IN_DEFAULT_S = 60;
/** Nobody's business is a longer one, seconds. */
const EXPIRES_IN_MAX_S = 24 * 3600;

/** What a token is wanted for. */
export interface TokenWish {
  realm: URL;
  service: string | undefined;
  scope: string;
  credential: Credential | undefined;
}

/** How to ask for it: GET, with Basic when there is a password; POST with the refresh token for an identity. */
export function tokenRequest(wish: TokenWish): {
  method: 'GET' | 'POST';
  url: URL;
  headers: Record<string, string>;
  body?: string;
} {
  const { credential, service, scope } = wish;
  if (credential?.kind === 'identity') {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      service: service ?? wish.realm.host,
      client_id: 'shoal',
      scope,
      refresh_token: credential.refreshToken,
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return { method: 'POST', url: wish.realm, headers, body: form.toString() };
  }
  const url = new URL(wish.realm);
  if (service !== undefined) url.searchParams.append('service', service);
  for (const one of scope.split(' ').filter(Boolean)) url.searchParams.append('scope', one);
  return {
    method: 'GET',
    url,
    headers: credential?.kind === 'basic' ? { authorization: basicHeader(credential) } : {},
  };
}

/** The Authorization of a user and a password (RFC 7617). */
export function basicHeader(credential: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
}

/**
 * Reads a token server's answer: `token` or `access_token`, `expires_in` counted from `issued_at`.
 * @throws CodedError UNAVAILABLE when there is no usable token in it
 */
export function parseTokenAnswer(bytes: Uint8Array, nowMs: number): PullToken {
  const json = objectIn(bytes);
  const token = [json.token, json.access_token].find((text) => typeof text === 'string' && text !== '');
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    throw new CodedError('UNAVAILABLE', 'Token server did not answer with a token');
  }
  const lifeMs = lifeSeconds(json.expires_in) * 1000;
  return { token, expiresAtMs: nowMs + lifeMs - ageMs(json.issued_at, lifeMs, nowMs) };
}

function objectIn(bytes: Uint8Array): JsonObject {
  try {
    const json: unknown = parseJsonObject(bytes, 'Token');
    return isJsonObject(json) ? json : {};
  } catch {
    return {};
  }
}

function lifeSeconds(expiresIn: unknown): number {
  if (typeof expiresIn !== 'number' || !Number.isFinite(expiresIn)) return EXPIRES_IN_DEFAULT_S;
  return Math.min(Math.max(expiresIn, EXPIRES_IN_DEFAULT_S), EXPIRES_IN_MAX_S);
}

/** How old the token is already. An age outside its life is a clock that is wrong, theirs or ours, and does not count. */
function ageMs(issuedAt: unknown, lifeMs: number, nowMs: number): number {
  const age = typeof issuedAt === 'string' ? nowMs - Date.parse(issuedAt) : 0;
  return age > 0 && age < lifeMs ? age : 0;
}
