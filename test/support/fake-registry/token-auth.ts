/** Who may ask a fake registry: basic credentials, or tokens of a server of its own (distribution's token specification). */
import { randomUUID } from 'node:crypto';
import type { BasicAuth, BearerAuth } from './faults.ts';

export interface TokenAnswer {
  status: number;
  body: unknown;
}

interface Granted {
  scope: string;
  endsAtMs: number;
}

/** Tokens that were given out. `revokeAll` makes the registry refuse them. */
export class TokenAuth {
  readonly #granted = new Map<string, Granted>();

  revokeAll(): void {
    this.#granted.clear();
  }

  /** The `WWW-Authenticate` of a refusal; undefined when the request may pass. */
  challenge(
    auth: BasicAuth | BearerAuth,
    request: { authorization: string | undefined; path: string; url: string },
  ): string | undefined {
    if (auth.kind === 'basic') {
      return userOf(request.authorization, auth.users) === undefined ? 'Basic realm="fake registry"' : undefined;
    }
    const name = /^\/v2\/(.+)\/(?:manifests|blobs|tags|referrers)\//.exec(request.path)?.[1];
    const scope = name === undefined ? '' : `repository:${name}:pull`;
    const granted = this.#granted.get(request.authorization?.replace(/^Bearer /, '') ?? '');
    if (granted !== undefined && granted.endsAtMs > Date.now() && granted.scope.split(' ').includes(scope))
      return undefined;
    const parts = [`Bearer realm="${auth.realm ?? `${request.url}/token`}"`, 'service="fake"'];
    if (!auth.hidesScope && scope !== '') parts.push(`scope="${scope}"`);
    if (request.authorization !== undefined) parts.push('error="invalid_token"');
    return parts.join(',');
  }

  /** GET with service and scope, as a user or as nobody. */
  get(auth: BearerAuth, query: URLSearchParams, authorization: string | undefined): TokenAnswer {
    const isUser = userOf(authorization, auth.users ?? {}) !== undefined;
    const isNobody = authorization === undefined && auth.anonymous === true;
    if (!isUser && !isNobody) return { status: 401, body: { details: 'incorrect username or password' } };
    return this.#grant(auth, query.getAll('scope').join(' '));
  }

  /** POST with a refresh token. */
  post(auth: BearerAuth, form: URLSearchParams): TokenAnswer {
    const isKnown = auth.identityTokens?.includes(form.get('refresh_token') ?? '') === true;
    if (form.get('grant_type') !== 'refresh_token' || !isKnown)
      return { status: 400, body: { error: 'invalid_grant' } };
    return this.#grant(auth, form.get('scope') ?? '');
  }

  #grant(auth: BearerAuth, scope: string): TokenAnswer {
    const token = randomUUID();
    this.#granted.set(token, { scope, endsAtMs: Date.now() + (auth.expiresInSeconds ?? 60) * 1000 });
    const life = auth.expiresInSeconds === undefined ? {} : { expires_in: auth.expiresInSeconds };
    return { status: 200, body: { [auth.field ?? 'token']: token, issued_at: new Date().toISOString(), ...life } };
  }
}

function userOf(authorization: string | undefined, users: Readonly<Record<string, string>>): string | undefined {
  const [, encoded] = /^Basic (.+)$/.exec(authorization ?? '') ?? [];
  const text = Buffer.from(encoded ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  const user = text.slice(0, Math.max(0, colon));
  return colon > 0 && users[user] === text.slice(colon + 1) ? user : undefined;
}
