/**
 * What to put into `Authorization`: remembers what each repository's registry asked for, gets tokens for it and keeps
 * them until they expire. Knows how to ask a token server only through the function it is given.
 */
import type { Clock } from '../runtime/clock.ts';
import { CodedError } from '../runtime/errors.ts';
import { BoundedMap } from '../runtime/bounded-map.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { CredentialCache } from './credential-cache.ts';
import { type Credential, fingerprintOf } from './credentials.ts';
import type { CallOptions, PullToken, Repository } from './registry-client.ts';
import { SingleFlight } from './single-flight.ts';
import { basicHeader, type TokenWish } from './token-server.ts';

/** Repositories whose challenge is remembered; one forgotten costs one request more. */
const CHALLENGES_MAX = 4096;
const TOKENS_MAX = 4096;
/** A token that ends sooner is not sent any more: the answer may take that long to start, milliseconds. */
const EXPIRY_MARGIN_MS = 5_000;
/** A token got with somebody else's credential is not used again later than this: it is asked again whether that is still good, milliseconds. */
const LENT_TOKEN_MS = 60_000;
/** For one token, all its attempts, milliseconds. */
const TOKEN_DEADLINE_MS = 60_000;

export interface AuthorizerDeps {
  credentials: CredentialCache;
  clock: Clock;
  /** Asks a token server. Errors: RegistryError. */
  fetchToken(repository: Repository, wish: TokenWish, options: { signal: AbortSignal }): Promise<PullToken>;
}

export class Authorizer {
  readonly #deps: AuthorizerDeps;
  readonly #challenges = new BoundedMap<string, Challenge>({ entriesMax: CHALLENGES_MAX });
  readonly #tokens = new BoundedMap<string, PullToken>({ entriesMax: TOKENS_MAX });
  readonly #flights = new SingleFlight<PullToken>({ deadlineMs: TOKEN_DEADLINE_MS });

  constructor(deps: AuthorizerDeps) {
    this.#deps = deps;
  }

  /** The header to send now; undefined as long as the registry has not asked for any. */
  async header(repository: Repository, options: CallOptions): Promise<string | undefined> {
    const credential = await this.#credential(repository, options);
    if (credential?.kind === 'bearer') return `Bearer ${credential.token}`;
    const challenge = this.#challenges.get(keyOf(repository));
    if (challenge === undefined) return undefined;
    if (challenge.scheme !== 'basic')
      return `Bearer ${(await this.#token(repository, challenge, credential, options)).token}`;
    return credential?.kind === 'basic' ? basicHeader(credential) : undefined;
  }

  /**
   * The header to send after a 401 that `refused` was answered with; undefined when there is nothing better to offer.
   * A refused token is thrown away, so that the next one is new.
   */
  async renew(
    repository: Repository,
    answer: { challenge: string | undefined; refused: string | undefined },
    options: CallOptions,
  ): Promise<string | undefined> {
    const challenge = choose(parseChallenges(answer.challenge ?? ''));
    if (challenge === undefined) return undefined;
    const { registry, name } = repository;
    if (answer.refused !== undefined) this.#deps.credentials.forget(registry.host, name);
    this.#challenges.set(keyOf(repository), challenge);
    const credential = await this.#credential(repository, options);
    const key = tokenKey(repository, challenge, credential);
    if (answer.refused === `Bearer ${this.#tokens.get(key)?.token}`) this.#tokens.delete(key);
    const header = await this.header(repository, options);
    return header === answer.refused ? undefined : header;
  }

  /** The token that `header` would send; undefined where the registry wants none. */
  async pullToken(repository: Repository, options: CallOptions): Promise<PullToken | undefined> {
    const challenge = this.#challenges.get(keyOf(repository));
    if (challenge === undefined || challenge.scheme !== 'bearer') return undefined;
    const credential = await this.#credential(repository, options);
    // A token given to us is not ours to hand on: it may do more than pull.
    if (credential?.kind === 'bearer') return undefined;
    return this.#token(repository, challenge, credential, options);
  }

  async #credential(repository: Repository, options: CallOptions): Promise<Credential | undefined> {
    const { registry, name } = repository;
    if (repository.credential !== undefined) return repository.credential;
    if (registry.credential !== undefined) return registry.credential;
    return this.#deps.credentials.get(registry.host, { signal: options.signal, repository: name });
  }

  async #token(
    repository: Repository,
    challenge: Challenge,
    credential: Credential | undefined,
    options: CallOptions,
  ): Promise<PullToken> {
    const { clock, fetchToken } = this.#deps;
    const key = tokenKey(repository, challenge, credential);
    const known = this.#tokens.get(key);
    if (known !== undefined && known.expiresAtMs - EXPIRY_MARGIN_MS > clock.now()) return known;
    const wish = {
      realm: realmOf(repository, challenge),
      service: challenge.parameters.get('service'),
      scope: scopeOf(repository, challenge),
      credential,
    };
    const lifeMs = repository.credential === undefined ? Number.POSITIVE_INFINITY : LENT_TOKEN_MS;
    const start = async ({ signal }: { signal: AbortSignal }) => {
      const latestMs = clock.now() + lifeMs;
      const token = await fetchToken(repository, wish, { signal });
      const kept = { ...token, expiresAtMs: Math.min(token.expiresAtMs, latestMs) };
      this.#tokens.set(key, kept);
      return kept;
    };
    return this.#flights.run(key, start, options);
  }
}

/** A token server before a password at the registry; other schemes are not known to any registry. */
function choose(challenges: readonly Challenge[]): Challenge | undefined {
  return (
    challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm')) ??
    challenges.find(({ scheme }) => scheme === 'basic')
  );
}

/** Credentials sent over TLS to the registry are not sent in clear to its token server. */
function realmOf({ registry }: Repository, challenge: Challenge): URL {
  const text = challenge.parameters.get('realm') ?? '';
  const realm = URL.canParse(text, registry.url) ? new URL(text, registry.url) : undefined;
  if (realm === undefined || !/^https?:$/.test(realm.protocol)) {
    throw new CodedError('UNAVAILABLE', `Registry "${registry.host}" names a token server that is no URL`);
  }
  if (realm.protocol === 'http:' && !registry.url.startsWith('http:')) {
    throw new CodedError('PERMISSION_DENIED', `Registry "${registry.host}" names a token server without TLS`);
  }
  realm.username = '';
  realm.password = '';
  return realm;
}

/** What the registry asks for, in its own words, as long as it is to pull. */
function scopeOf(repository: Repository, challenge: Challenge): string {
  const asked = challenge.parameters.get('scope') ?? '';
  const isMoreThanPull = asked.startsWith('repository:') && !asked.endsWith(':pull');
  return asked === '' || isMoreThanPull ? `repository:${repository.name}:pull` : asked;
}

function keyOf({ registry, name }: Repository): string {
  return `${registry.url} ${name}`;
}

function tokenKey(repository: Repository, challenge: Challenge, credential: Credential | undefined): string {
  const { parameters } = challenge;
  const parts = [
    repository.registry.url,
    parameters.get('realm'),
    parameters.get('service'),
    scopeOf(repository, challenge),
  ];
  return JSON.stringify([...parts, fingerprintOf(credential)]);
}
