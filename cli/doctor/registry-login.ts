/** Whether a registry takes a credential: its `/v2/` asked with it, and its token server where it has one. No repository is touched. */
import { type Challenge, parseChallenges } from '../../core/registry/challenge.ts';
import type { Credential } from '../../core/registry/credentials.ts';
import { type HttpAnswer, HttpTransport } from '../../core/registry/http-transport.ts';
import { basicHeader, tokenRequest } from '../../core/registry/token-server.ts';
import { messageOf } from '../../core/runtime/errors.ts';
import type { LoginFacts } from './facts.ts';

export interface LoginTry {
  readonly host: string;
  /** `https://registry-1.docker.io`. */
  readonly url: string;
  readonly ca: string | undefined;
  readonly credential: Credential;
  readonly from: string;
}

const TIMEOUTS = { connectMs: 4_000, responseMs: 6_000, idleMs: 6_000 };
const WHOLE_MS = 15_000;

export async function tryLogin({ host, url, ca, credential, from }: LoginTry): Promise<LoginFacts> {
  const transport = new HttpTransport(TIMEOUTS);
  const signal = AbortSignal.timeout(WHOLE_MS);
  const ask = (to: URL, headers: Record<string, string>, more: { method?: 'GET' | 'POST'; body?: string } = {}) =>
    transport.open({ method: 'GET', url: to, headers, ...(ca === undefined ? {} : { ca }), ...more }, { signal });
  const base = { host, from };
  try {
    const first = await ask(new URL('/v2/', url), {});
    await first.discard();
    if (first.status === 200) return { ...base, outcome: 'not asked for', reason: 'It answers without one' };
    const challenge = challengeOf(first);
    if (first.status !== 401 || challenge === undefined) {
      return { ...base, outcome: 'unreachable', reason: `"${url}/v2/" answers with status ${first.status}` };
    }
    const second = await withCredential(challenge, { url, credential, ask });
    await second.discard();
    return { ...base, ...verdict(second.status) };
  } catch (error) {
    return { ...base, outcome: 'unreachable', reason: messageOf(error) };
  } finally {
    transport.close();
  }
}

interface Asking {
  readonly url: string;
  readonly credential: Credential;
  readonly ask: (
    to: URL,
    headers: Record<string, string>,
    more?: { method?: 'GET' | 'POST'; body?: string },
  ) => Promise<HttpAnswer>;
}

function withCredential({ scheme, parameters }: Challenge, { url, credential, ask }: Asking): Promise<HttpAnswer> {
  const registry = new URL('/v2/', url);
  if (credential.kind === 'bearer') return ask(registry, { authorization: `Bearer ${credential.token}` });
  const realm = URL.parse(parameters.get('realm') ?? '');
  if (scheme === 'bearer' && realm !== null) {
    const wish = { realm, service: parameters.get('service'), scope: '', credential };
    const { method, url: to, headers, body } = tokenRequest(wish);
    return ask(to, headers, { method, ...(body === undefined ? {} : { body }) });
  }
  return ask(registry, credential.kind === 'basic' ? { authorization: basicHeader(credential) } : {});
}

function challengeOf(answer: HttpAnswer): Challenge | undefined {
  const challenges = parseChallenges(String(answer.headers['www-authenticate'] ?? ''));
  return challenges.find(({ scheme }) => scheme === 'bearer') ?? challenges.find(({ scheme }) => scheme === 'basic');
}

function verdict(status: number): Pick<LoginFacts, 'outcome' | 'reason'> {
  if (status >= 200 && status < 300) return { outcome: 'accepted', reason: 'It takes the credential' };
  const isRefusal = status === 400 || status === 401 || status === 403;
  return { outcome: isRefusal ? 'refused' : 'unreachable', reason: `It answers with status ${status}` };
}
