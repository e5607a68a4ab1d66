/** What a caller shows of its rights (RFC 7617, RFC 6750), read from its Authorization. Never in a message or a log. */
import { createHmac, randomBytes } from 'node:crypto';
import type { CallerCredential } from '../content/origin.ts';
import { SpecError } from './spec-errors.ts';

export const ANONYMOUS: CallerCredential = { kind: 'anonymous' };

/**
 * The credential of a request; an absent header, and Basic with neither user nor password (as Podman sends it when it has
 * none), is nobody in particular.
 * @throws SpecError 401 for what is neither Basic nor Bearer
 */
export function parseAuthorization(header: string | undefined): CallerCredential {
  if (header === undefined || header.trim() === '') return ANONYMOUS;
  const [, scheme = '', value = ''] = /^\s*([A-Za-z]+) +([\x21-\x7e]+)\s*$/.exec(header) ?? [];
  if (scheme.toLowerCase() === 'bearer') return { kind: 'bearer', token: value };
  const basic = scheme.toLowerCase() === 'basic' ? basicOf(value) : undefined;
  if (basic !== undefined) return basic;
  throw new SpecError('UNAUTHENTICATED', {
    status: 401,
    code: 'UNAUTHORIZED',
    message: 'Authorization is neither Basic nor Bearer',
    headers: challengeFor('shoal'),
  });
}

/** Asks for user and password: a token server of a registry would get them from clients that know them for this mirror only. */
export function challengeFor(realm: string): { 'www-authenticate': string } {
  return { 'www-authenticate': `Basic realm="${realm}", charset="UTF-8"` };
}

const FINGERPRINT_KEY = randomBytes(32);

/** Tells callers apart in memory without keeping what they showed; means nothing outside this process. */
export function fingerprintOf(credential: CallerCredential): string {
  return createHmac('sha256', FINGERPRINT_KEY).update(JSON.stringify(credential)).digest('base64url');
}

function basicOf(encoded: string): CallerCredential | undefined {
  if (!/^[A-Za-z0-9+/]+=*$/.test(encoded)) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0 || /[\0\r\n]/.test(text)) return undefined;
  const [username, password] = [text.slice(0, colon), text.slice(colon + 1)];
  return username === '' && password === '' ? ANONYMOUS : { kind: 'basic', username, password };
}
