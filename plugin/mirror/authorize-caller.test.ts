/** `mirror.authorize = "caller"`: each caller's own word with the registry decides, also about what is here already. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Logger } from '../../core/runtime/log.ts';
import { type MirrorSetup, type MirrorSetupOptions, mirrorSetup } from '../../test/support/mirror/mirror-setup.ts';
import { ManualClock } from '../content/fakes/manual-clock.ts';
import { GRANT_MS } from './caller-access.ts';

const setups: MirrorSetup[] = [];
afterEach(async () => {
  for (const setup of setups.splice(0)) await setup[Symbol.asyncDispose]();
});

async function start(options: MirrorSetupOptions = {}): Promise<MirrorSetup> {
  const setup = await mirrorSetup({ ...options, mirror: { authorize: 'caller', ...options.mirror } });
  setups.push(setup);
  return setup;
}

function basic(user: string, password: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

const ME = basic('me', 'secret');
const USERS = { me: 'secret', you: 'open' };

async function statusOf(response: Promise<Response>): Promise<number> {
  const found = await response;
  await found.arrayBuffer();
  return found.status;
}

describe('authorize = "caller"', () => {
  it.each(['basic', 'bearer'] as const)('gives a private image to those whom the registry knows (%s)', async (kind) => {
    const { get, registry, image, layer, layerBytes, metric } = await start();
    registry.faults = { auth: { kind, users: USERS } };
    const manifest = await get('/v2/team/app/manifests/latest', { headers: ME });
    expect(manifest.status).toBe(200);
    expect(manifest.headers.get('docker-content-digest')).toBe(image.digest);
    const blob = await get(`/v2/team/app/blobs/${layer.digest}`, { headers: ME });
    expect(Buffer.from(await blob.arrayBuffer()).equals(layerBytes)).toBe(true);
    // Here by now, and still not for others.
    for (const path of ['manifests/latest', `manifests/${image.digest}`, `blobs/${layer.digest}`, 'tags/list']) {
      const refused = await get(`/v2/team/app/${path}`);
      expect(refused.status).toBe(401);
      expect(refused.headers.get('www-authenticate')).toBe(`Basic realm="${registry.host}", charset="UTF-8"`);
      expect(await refused.json()).toMatchObject({ errors: [{ code: 'UNAUTHORIZED' }] });
      expect(await statusOf(get(`/v2/team/app/${path}`, { headers: basic('me', 'wrong') }))).toBe(401);
      expect(await statusOf(get(`/v2/team/app/${path}`, { headers: basic('you', 'open') }))).toBe(200);
    }
    expect(await metric('shoal_mirror_authorizations_total', { answer: 'refused' })).toBeGreaterThan(0);
  });

  it('takes tokens that callers got themselves', async () => {
    const { get, registry } = await start();
    registry.faults = { auth: { kind: 'bearer', users: USERS } };
    const token = registry.tokens.get(
      { kind: 'bearer', users: USERS },
      new URLSearchParams({ scope: 'repository:team/app:pull' }),
      ME.authorization,
    ).body as { token: string };
    const ask = (authorization: string) =>
      statusOf(get('/v2/team/app/manifests/latest', { headers: { authorization } }));
    expect(await ask(`Bearer ${token.token}`)).toBe(200);
    expect(await ask('Bearer made-up')).toBe(401);
    expect(await ask('Digest username="me"')).toBe(401);
  });

  it("gives public images to anybody, also to Podman's empty user and password", async () => {
    const { get, layer, registry } = await start();
    expect(await statusOf(get(`/v2/team/app/blobs/${layer.digest}`))).toBe(200);
    registry.faults = { auth: { kind: 'bearer', anonymous: true } };
    expect(await statusOf(get(`/v2/team/app/blobs/${layer.digest}`, { headers: basic('', '') }))).toBe(200);
  });

  it("never uses the node's own credentials for a caller", async () => {
    const credentials = {
      get: async () => ({ kind: 'basic', username: 'me', password: 'secret' }) as const,
      version: async () => '1',
    };
    const { get, registry } = await start({ credentials });
    registry.faults = { auth: { kind: 'basic', users: USERS } };
    expect(await statusOf(get('/v2/team/app/manifests/latest'))).toBe(401);
    expect(await statusOf(get('/v2/team/app/tags/list'))).toBe(401);
  });

  it('does not give a blob of one repository to those who may read another', async () => {
    const { get, registry, image, layer } = await start();
    registry.put('open/other', { ...image, blobs: new Map(), manifests: new Map() });
    expect(await statusOf(get(`/v2/team/app/blobs/${layer.digest}`))).toBe(200);
    expect(await statusOf(get(`/v2/open/other/blobs/${layer.digest}`))).toBe(404);
    expect(await statusOf(get(`/v2/open/other/manifests/${image.digest}`))).toBe(404);
  });

  it('asks the registry again after five minutes at most; what cannot be asked is 503 then', async () => {
    const clock = new ManualClock();
    const { get, registry, layer } = await start({ deps: { clock } });
    registry.faults = { auth: { kind: 'basic', users: USERS } };
    const ask = () => statusOf(get(`/v2/team/app/blobs/${layer.digest}`, { headers: ME }));
    const askTag = () => statusOf(get('/v2/team/app/manifests/latest', { headers: ME }));
    expect(await ask()).toBe(200);
    expect(await askTag()).toBe(200);
    await registry.down();
    expect(await ask()).toBe(200);
    expect(await askTag()).toBe(200);
    await clock.advance(GRANT_MS);
    expect(await ask()).toBe(503);
    expect(await askTag()).toBe(503);
    await registry.up();
    registry.faults = { auth: { kind: 'basic', users: { you: 'open' } } };
    expect(await ask()).toBe(401);
  });

  it('wants to know who asks at /v2/, as Podman and Docker need it to', async () => {
    const { url } = await start();
    const nobody = await fetch(`${url}/v2/`);
    expect(nobody.status).toBe(401);
    expect(nobody.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
    expect((await fetch(`${url}/v2/`, { headers: ME })).status).toBe(200);
  });

  it('never writes credentials to the log, nor sends them to another host', async () => {
    const lines: string[] = [];
    const write = (fields: unknown, text: string) => void lines.push(JSON.stringify([fields, text]));
    const log: Logger = { error: write, warn: write, info: write, debug: write, child: () => log };
    const { get, registry, layer } = await start({ deps: { log } });
    registry.faults = { auth: { kind: 'basic', users: { you: 'x' } }, redirectBlobs: 'other-host' };
    await statusOf(get(`/v2/team/app/blobs/${layer.digest}`, { headers: ME }));
    registry.faults = { auth: { kind: 'basic', users: USERS }, redirectBlobs: 'other-host' };
    await statusOf(get('/v2/team/app/manifests/latest', { headers: ME }));
    await statusOf(get(`/v2/team/app/blobs/${layer.digest}`, { headers: ME }));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join('\n')).not.toMatch(new RegExp(`secret|${ME.authorization.slice(6)}`));
    expect(registry.log.entries.filter(({ host, authorization }) => host === 'storage' && authorization)).toEqual([]);
  });
});

describe('authorize = "node"', () => {
  it("uses this node's credentials, whatever the caller shows, and says 403 where they are refused", async () => {
    const credentials = {
      get: async () => ({ kind: 'basic', username: 'me', password: 'secret' }) as const,
      version: async () => '1',
    };
    const { get, registry } = await start({ credentials, mirror: { authorize: 'node' } });
    registry.faults = { auth: { kind: 'basic', users: USERS } };
    expect(await statusOf(get('/v2/team/app/manifests/latest', { headers: basic('x', 'y') }))).toBe(200);
    const { get: without, registry: other } = await start({ mirror: { authorize: 'node' } });
    other.faults = { auth: { kind: 'basic', users: USERS } };
    expect(await statusOf(without('/v2/team/app/manifests/latest', { headers: ME }))).toBe(403);
  });
});
