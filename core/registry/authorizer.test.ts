import { describe, expect, it } from '@jest/globals';
import { quiet, registrySetup } from '../../test/support/fake-registry/registry-setup.ts';
import type { Credential, CredentialSource } from './credentials.ts';

const options = { signal: quiet };
const basic: Credential = { kind: 'basic', username: 'ann', password: 'hunter2' };
const wrong: Credential = { kind: 'basic', username: 'ann', password: 'wrong-secret' };
const users = { ann: 'hunter2' };

/** A source of one credential that can be changed, and that counts how often it is asked. */
function source(
  credential: Credential | undefined,
): CredentialSource & { credential: Credential | undefined; asked: number } {
  let version = 0;
  return {
    asked: 0,
    get credential() {
      return credential;
    },
    set credential(next) {
      credential = next;
      version += 1;
    },
    async get() {
      this.asked += 1;
      return credential;
    },
    version: async () => `${version}`,
  };
}

describe('basic authentication', () => {
  it('is offered once the registry has asked, and from then on at once', async () => {
    const credentials = source(basic);
    await using setup = await registrySetup({ credentials });
    setup.registry.faults = { auth: { kind: 'basic', users } };
    await setup.client.manifest(setup.repository, 'latest', options);
    await setup.download();
    expect(setup.registry.log.entries.map(({ status }) => status)).toEqual([401, 200, 200]);
    expect(credentials.asked).toBe(1);
  });

  it.each([
    ['without a credential', undefined, 1],
    ['with a wrong one', wrong, 2],
  ])('is UNAUTHENTICATED %s', async (_, credential, requests) => {
    await using setup = await registrySetup({ credentials: source(credential) });
    setup.registry.faults = { auth: { kind: 'basic', users } };
    const asked = await setup.client.manifest(setup.repository, 'latest', options).catch((error: unknown) => error);
    expect(asked).toMatchObject({ code: 'UNAUTHENTICATED', status: 401 });
    expect(String(asked)).not.toContain('secret');
    expect(setup.registry.log.entries).toHaveLength(requests);
  });

  it("prefers the caller's own credential, then the endpoint's", async () => {
    await using setup = await registrySetup({ credentials: source(wrong) });
    setup.registry.faults = { auth: { kind: 'basic', users } };
    const { registry } = setup.repository;
    const endpoint = { ...setup.repository, registry: { ...registry, credential: basic } };
    await expect(setup.client.resolve(endpoint, 'latest', options)).resolves.toEqual(setup.image.target);
    const caller = { ...setup.repository, registry: { ...registry, credential: wrong }, credential: basic };
    await expect(setup.client.resolve(caller, 'latest', options)).resolves.toEqual(setup.image.target);
    const outsider = { ...endpoint, credential: wrong };
    await expect(setup.client.resolve(outsider, 'latest', options)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

describe('token authentication', () => {
  it('gets one anonymous token for many requests', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { auth: { kind: 'bearer', anonymous: true } };
    await setup.client.resolve(setup.repository, 'latest', options);
    await Promise.all([
      setup.download(),
      setup.download({ offset: 5 }),
      setup.client.manifest(setup.repository, 'latest', options),
    ]);
    const [token, ...more] = setup.registry.log.of(/^\/token$/);
    expect(more).toEqual([]);
    expect(token).toMatchObject({
      query: 'service=fake&scope=repository%3Ateam%2Fapp%3Apull',
      authorization: undefined,
    });
    expect(setup.seen.requests.filter((line) => line.startsWith('token'))).toEqual(['token GET 200']);
  });

  it('shares one token request among those who need it at the same time', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { auth: { kind: 'bearer', anonymous: true } };
    await Promise.all(Array.from({ length: 10 }, () => setup.client.resolve(setup.repository, 'latest', options)));
    expect(setup.registry.log.of(/^\/token$/)).toHaveLength(1);
  });

  it.each([
    ['token', false],
    ['access_token', true],
  ] as const)('sends user and password to the token server alone (%s)', async (field, hidesScope) => {
    await using setup = await registrySetup({ credentials: source(basic) });
    setup.registry.faults = { auth: { kind: 'bearer', users, field, hidesScope } };
    await expect(setup.client.resolve(setup.repository, 'latest', options)).resolves.toEqual(setup.image.target);
    expect(setup.registry.log.entries.map(({ path, authorization }) => [path, authorization?.split(' ')[0]])).toEqual([
      ['/v2/team/app/manifests/latest', undefined],
      ['/token', 'Basic'],
      ['/v2/team/app/manifests/latest', 'Bearer'],
    ]);
  });

  it('exchanges an identity token by POST', async () => {
    await using setup = await registrySetup({ credentials: source({ kind: 'identity', refreshToken: 'refresh' }) });
    setup.registry.faults = { auth: { kind: 'bearer', identityTokens: ['refresh'] } };
    await expect(setup.client.resolve(setup.repository, 'latest', options)).resolves.toEqual(setup.image.target);
    expect(setup.registry.log.lines()).toContain('POST /token 200');
    setup.registry.faults = { auth: { kind: 'bearer', identityTokens: ['other'] } };
    setup.registry.tokens.revokeAll();
    const asked = setup.client.resolve(setup.repository, 'latest', options);
    await expect(asked).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('sends a bearer token as it is', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { auth: { kind: 'bearer', anonymous: true } };
    await setup.client.resolve(setup.repository, 'latest', options);
    const token = await setup.client.pullToken(setup.repository, options);
    const given = { ...setup.repository, credential: { kind: 'bearer' as const, token: token?.token ?? '' } };
    await using other = await registrySetup();
    await expect(other.client.resolve(given, 'latest', options)).resolves.toEqual(setup.image.target);
    expect(setup.registry.log.of(/^\/token$/)).toHaveLength(1);
  });

  it('gets a new token when the old one is refused, once', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { auth: { kind: 'bearer', anonymous: true } };
    await setup.client.resolve(setup.repository, 'latest', options);
    setup.registry.tokens.revokeAll();
    setup.registry.log.clear();
    await setup.client.resolve(setup.repository, 'latest', options);
    expect(setup.registry.log.entries.map(({ path, status }) => `${path} ${status}`)).toEqual([
      '/v2/team/app/manifests/latest 401',
      '/token 200',
      '/v2/team/app/manifests/latest 200',
    ]);
  });

  it('replaces a token before it ends, a minute when nothing is said', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { auth: { kind: 'bearer', anonymous: true } };
    await setup.client.resolve(setup.repository, 'latest', options);
    const token = await setup.client.pullToken(setup.repository, options);
    const lifeMs = (token?.expiresAtMs ?? 0) - Date.now();
    expect(lifeMs).toBeGreaterThan(55_000);
    expect(lifeMs).toBeLessThanOrEqual(60_000);
  });

  it('is UNAUTHENTICATED when the token server refuses, and its words carry no secret', async () => {
    await using setup = await registrySetup({ credentials: source(wrong) });
    setup.registry.faults = { auth: { kind: 'bearer', users } };
    const asked = await setup.client.resolve(setup.repository, 'latest', options).catch((error: unknown) => error);
    expect(asked).toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining('incorrect username or password'),
    });
    expect(String(asked)).not.toContain('wrong-secret');
  });

  it('is UNAUTHENTICATED after its last token, not for ever', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { auth: { kind: 'bearer', anonymous: true, expiresInSeconds: 0 } };
    const asked = setup.client.resolve(setup.repository, 'latest', options);
    await expect(asked).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(setup.registry.log.entries.length).toBeLessThan(8);
  });

  it('uses a credential that has changed', async () => {
    const credentials = source(wrong);
    await using setup = await registrySetup({ credentials });
    setup.registry.faults = { auth: { kind: 'bearer', users } };
    await expect(setup.client.resolve(setup.repository, 'latest', options)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
    credentials.credential = basic;
    await expect(setup.client.resolve(setup.repository, 'latest', options)).resolves.toEqual(setup.image.target);
  });

  it.each([
    ['no-url', 'UNAVAILABLE'],
    ['ftp://x/', 'UNAVAILABLE'],
    ['http://127.0.0.2:1/token', 'PERMISSION_DENIED'],
    ['http://169.254.169.254/latest/meta-data', 'PERMISSION_DENIED'],
  ])('does not ask a token server at %s', async (realm, code) => {
    await using setup = await registrySetup({ client: { attemptsMax: 1 } });
    setup.registry.faults = {
      auth: { kind: 'bearer', anonymous: true, realm: realm === 'no-url' ? 'http://' : realm },
    };
    await expect(setup.client.resolve(setup.repository, 'latest', options)).rejects.toMatchObject({ code });
  });
});

describe('pullToken()', () => {
  it('asks what is wanted first, and is undefined where no token is', async () => {
    await using setup = await registrySetup({ credentials: source(basic) });
    await expect(setup.client.pullToken(setup.repository, options)).resolves.toBeUndefined();
    setup.registry.faults = { auth: { kind: 'basic', users } };
    await expect(setup.client.pullToken(setup.repository, options)).resolves.toBeUndefined();
    setup.registry.faults = { auth: { kind: 'bearer', users } };
    await expect(setup.client.pullToken(setup.repository, options)).resolves.toMatchObject({
      token: expect.any(String),
    });
  });
});
