/**
 * A request and where it leads: registries send clients to their storage. Every hop is judged before it is taken, and
 * the registry's credential stays with the registry (OCI distribution-spec: "MUST NOT forward Authorization headers
 * across host boundaries").
 */
import { CodedError } from '../runtime/errors.ts';
import { guardedLookup, refuseForbiddenAddress } from './address-guard.ts';
import type { HttpAnswer, HttpRequest, HttpTransport } from './http-transport.ts';

export const REDIRECTS_MAX = 5;
const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const lookup = guardedLookup();

export interface HopRules {
  /** Throws when this URL may not be asked at all. */
  mayReach(url: URL): void;
  /** True for what the operator wrote down: these may be loopback, link-local or metadata addresses. */
  isConfigured(url: URL): boolean;
  onHop(url: URL, status: number): void;
}

/**
 * Sends a request and follows at most five redirects, GET and HEAD only. Resolves with the first answer that is none.
 * Errors: those of `HttpTransport.open`; PERMISSION_DENIED for a hop that may not be taken; UNAVAILABLE for too many.
 */
export async function openFollowing(
  transport: Pick<HttpTransport, 'open'>,
  request: HttpRequest,
  options: { signal: AbortSignal; rules: HopRules },
): Promise<{ answer: HttpAnswer; url: URL }> {
  let current = request;
  for (let hops = 0; hops <= REDIRECTS_MAX; hops += 1) {
    const answer = await openOne(transport, current, options);
    const next = request.method === 'POST' ? undefined : nextHop(answer, current);
    if (next === undefined) return { answer, url: current.url };
    await answer.discard();
    current = next;
  }
  throw new CodedError('UNAVAILABLE', `Request to "${request.url.host}" met more than ${REDIRECTS_MAX} redirects`);
}

async function openOne(
  transport: Pick<HttpTransport, 'open'>,
  request: HttpRequest,
  options: { signal: AbortSignal; rules: HopRules },
): Promise<HttpAnswer> {
  const { rules, signal } = options;
  rules.mayReach(request.url);
  const isConfigured = rules.isConfigured(request.url);
  if (!isConfigured) refuseForbiddenAddress(request.url);
  try {
    const answer = await transport.open(isConfigured ? request : { ...request, lookup }, { signal });
    rules.onHop(request.url, answer.status);
    return answer;
  } catch (error) {
    rules.onHop(request.url, 0);
    throw error;
  }
}

function nextHop(answer: HttpAnswer, from: HttpRequest): HttpRequest | undefined {
  const { location } = answer.headers;
  if (!REDIRECT_STATUSES.has(answer.status) || location === undefined) return undefined;
  const url = URL.canParse(location, from.url.href) ? new URL(location, from.url) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    answer.destroy();
    throw new CodedError('UNAVAILABLE', `Redirect from "${from.url.host}" leads to what is no http or https URL`);
  }
  if (from.url.protocol === 'https:' && url.protocol === 'http:') {
    answer.destroy();
    throw new CodedError('PERMISSION_DENIED', `Redirect from "${from.url.host}" to "${url.host}" would leave TLS`);
  }
  url.username = '';
  url.password = '';
  if (url.origin === from.url.origin) return { ...from, url };
  const { authorization: _, ...headers } = from.headers;
  return { ...from, url, headers };
}
