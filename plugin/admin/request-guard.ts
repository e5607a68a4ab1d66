/**
 * Who may ask what. Three doors: the Host header (a page whose name was re-bound to this address), the origin (a page
 * that posts to us from a browser), and the token. Pure.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { isLoopback } from '../../core/runtime/config-address.ts';
import { CodedError } from '../../core/runtime/errors.ts';

/** The headers that decide. */
export interface GuardedRequest {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
}

export interface GuardRules {
  readonly token: string | undefined;
  /** The address that the listener is bound to. */
  readonly listenHost: string;
  /** Lower-case names that a Host header may carry. */
  readonly names: ReadonlySet<string>;
}

/**
 * For every request: an address or a name of ours in the Host header.
 * @throws CodedError PERMISSION_DENIED
 */
export function checkHost(request: GuardedRequest, rules: GuardRules): void {
  const name = hostNameOf(request.host ?? '');
  if (name !== undefined && (isIP(name) !== 0 || name === 'localhost' || rules.names.has(name))) return;
  throw new CodedError('PERMISSION_DENIED', 'Host header names neither an address nor this node');
}

/** Types that a browser sends to another origin only after a preflight, which nobody here answers. */
const BODY_TYPES = {
  json: { pattern: /^application\/json\s*(;|$)/i, wanted: 'application/json' },
  archive: { pattern: /^application\/(x-tar|gzip|zstd|octet-stream)\s*(;|$)/i, wanted: 'application/x-tar' },
} as const;

/**
 * For requests that change something.
 * @throws CodedError INVALID_ARGUMENT (not JSON), PERMISSION_DENIED (a foreign origin, or no token is set and the
 *   listener is not loopback), UNAUTHENTICATED (no token, or a wrong one)
 */
export function checkChange(request: GuardedRequest, rules: GuardRules, body: keyof typeof BODY_TYPES = 'json'): void {
  const { pattern, wanted } = BODY_TYPES[body];
  if (!pattern.test(request.contentType ?? '')) {
    throw new CodedError('INVALID_ARGUMENT', `Content-Type is not "${wanted}"`);
  }
  if (request.origin !== undefined && URL.parse(request.origin)?.host !== request.host) {
    throw new CodedError('PERMISSION_DENIED', 'Origin header names another site');
  }
  if (rules.token !== undefined) checkToken(request.authorization, rules.token);
  else if (!isLoopback(rules.listenHost)) {
    throw new CodedError(
      'PERMISSION_DENIED',
      'Changing anything needs admin.token_file while admin.listen is not a loopback address',
    );
  }
}

/** For a page that asks whether it may offer changes: what the given token is worth. */
export function tokenWorth(
  authorization: string | undefined,
  rules: Pick<GuardRules, 'token'>,
): 'none_set' | 'missing' | 'wrong' | 'valid' {
  if (rules.token === undefined) return 'none_set';
  if (authorization === undefined) return 'missing';
  try {
    checkToken(authorization, rules.token);
    return 'valid';
  } catch {
    return 'wrong';
  }
}

function checkToken(authorization: string | undefined, token: string): void {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  // Digests are of one length, so the time taken tells nothing about the token's.
  if (given !== undefined && timingSafeEqual(sha256(given), sha256(token))) return;
  throw new CodedError(
    'UNAUTHENTICATED',
    'Changing anything needs "Authorization: Bearer" with the token of admin.token_file',
  );
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The host of a Host header, lower-case, without port and brackets. */
function hostNameOf(header: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]@/\s]+))(?::\d{1,5})?$/.exec(header) ?? [];
  return (bracketed ?? plain)?.toLowerCase().replace(/\.$/, '');
}
