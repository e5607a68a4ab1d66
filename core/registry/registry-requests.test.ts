import { describe, expect, it } from '@jest/globals';
import { quiet, registrySetup } from '../../test/support/fake-registry/registry-setup.ts';
import { digestOf } from '../oci/digest.ts';

const options = { signal: quiet };
describe('redirects', () => {
  it('are followed to another host without the Authorization', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { auth: { kind: 'bearer', anonymous: true }, redirectBlobs: 'other-host' };
    expect(digestOf(await setup.download())).toBe(setup.layer.digest);
    const [entry] = setup.registry.log.entries.filter(({ host }) => host === 'storage');
    expect(entry).toMatchObject({ status: 200, authorization: undefined, bytes: setup.layer.size });
    expect(digestOf(await setup.download({ offset: 7 }))).toBe(digestOf(setup.layerBytes.subarray(7)));
    expect(setup.registry.log.entries.at(-1)).toMatchObject({
      host: 'storage',
      range: `bytes=7-${setup.layer.size - 1}`,
    });
  });

  it('are not followed to loopback that nobody configured', async () => {
    await using setup = await registrySetup({ client: { configuredOrigins: new Set() } });
    setup.registry.faults = { redirectBlobs: 'other-host' };
    await expect(setup.download()).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    for (const to of ['http://localhost:9/', 'http://169.254.169.254/', 'http://[::ffff:127.0.0.1]/']) {
      setup.registry.faults = { redirectBlobs: { to } };
      await expect(setup.download()).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    }
    expect(setup.registry.log.entries.every(({ host }) => host === 'registry')).toBe(true);
  });

  it('are judged by the guard that was given, hop by hop', async () => {
    const reached: string[] = [];
    await using setup = await registrySetup({ client: { mayReach: (url) => void reached.push(url.origin) } });
    setup.registry.faults = { redirectBlobs: 'other-host' };
    await setup.download();
    expect(reached).toEqual([setup.registry.url, setup.registry.storageUrl]);
  });

  it('end after five', async () => {
    await using setup = await registrySetup({ client: { attemptsMax: 1 } });
    setup.registry.faults = { redirectBlobs: { to: `/v2/team/app/blobs/${setup.layer.digest}` } };
    await expect(setup.download()).rejects.toThrow(/more than 5 redirects/);
    expect(setup.registry.log.entries).toHaveLength(6);
  });

  it.each(['ftp://x/', 'http://'])('to "%s" are an error', async (to) => {
    await using setup = await registrySetup({ client: { attemptsMax: 1 } });
    setup.registry.faults = { redirectBlobs: { to } };
    await expect(setup.download()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('ask the registry again when the storage refuses', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = {
      redirectBlobs: 'other-host',
      refuse: { status: 403, times: 1, only: /^\/storage\// },
    };
    expect(digestOf(await setup.download())).toBe(setup.layer.digest);
    expect(setup.registry.log.entries.map(({ host, status }) => `${host} ${status}`)).toEqual([
      'registry 307',
      'storage 403',
      'registry 307',
      'storage 200',
    ]);
  });
});

describe('failures', () => {
  it.each([500, 502, 503, 504, 408])('%i is tried again with longer and longer waits', async (status) => {
    await using setup = await registrySetup();
    setup.registry.faults = { refuse: { status, times: 3 } };
    await expect(setup.client.resolve(setup.repository, 'latest', options)).resolves.toEqual(setup.image.target);
    expect(setup.slept).toEqual([125, 250, 500]);
  });

  it('ends with the last answer, and what the registry said', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { refuse: { status: 503, times: 99 } };
    const asked = setup.client.manifest(setup.repository, 'latest', options);
    await expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE', status: 503 });
    await expect(asked).rejects.toThrow('was refused with 503: FAKE_503: fake answer 503');
    expect(setup.registry.log.entries).toHaveLength(4);
  });

  it.each([
    [403, 'PERMISSION_DENIED'],
    [404, 'NOT_FOUND'],
    [401, 'UNAUTHENTICATED'],
    [418, 'FAILED_PRECONDITION'],
  ])('%i is %s at once', async (status, code) => {
    await using setup = await registrySetup();
    setup.registry.faults = { refuse: { status, times: 99 } };
    await expect(setup.client.manifest(setup.repository, 'latest', options)).rejects.toMatchObject({ code, status });
    expect(setup.registry.log.entries).toHaveLength(1);
  });

  it('429 waits as long as the registry asks', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { refuse: { status: 429, times: 2, retryAfter: '7' } };
    await expect(setup.client.resolve(setup.repository, 'latest', options)).resolves.toEqual(setup.image.target);
    expect(setup.slept).toEqual([7125, 7250]);
  });

  it('429 with too long a wait fails at once and tells how long', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { refuse: { status: 429, times: 2, retryAfter: '3600' } };
    const asked = setup.client.resolve(setup.repository, 'latest', options);
    await expect(asked).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED', status: 429, retryAfterMs: 3_600_000 });
    expect(setup.slept).toEqual([]);
  });

  it('429 is not waited for when the caller would rather know', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { refuse: { status: 429, times: 2 } };
    const asked = setup.client.resolve(setup.repository, 'latest', { ...options, attemptsMax: 1 });
    await expect(asked).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  });

  it('a registry that is down is UNAVAILABLE, counted as status 0', async () => {
    await using setup = await registrySetup();
    await setup.registry.down();
    const asked = setup.client.resolve(setup.repository, 'latest', options);
    await expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(asked).rejects.toThrow(/ECONNREFUSED/);
    expect(setup.seen.requests).toEqual(Array(4).fill('manifest HEAD 0'));
  });

  it('a call that takes too long is UNAVAILABLE, one that is aborted CANCELLED', async () => {
    await using setup = await registrySetup({ client: { callMs: 100, timeouts: { responseMs: 5000 } } });
    setup.registry.faults = { delayMs: 400 };
    const asked = setup.client.resolve(setup.repository, 'latest', options);
    await expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('100 ms') });
    const aborted = setup.client.resolve(setup.repository, 'latest', { signal: AbortSignal.abort('why') });
    await expect(aborted).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('an answer that does not start in time is UNAVAILABLE', async () => {
    await using setup = await registrySetup({ client: { attemptsMax: 1, timeouts: { responseMs: 100 } } });
    setup.registry.faults = { delayMs: 400 };
    await expect(setup.client.resolve(setup.repository, 'latest', options)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    await expect(setup.download()).rejects.toThrow(/Timeout.*response/);
  });

  it('an endpoint on loopback that nobody configured is not asked', async () => {
    await using setup = await registrySetup();
    const registry = { host: setup.registry.host, url: setup.registry.url };
    const asked = setup.client.resolve({ ...setup.repository, registry }, 'latest', options);
    await expect(asked).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    const named = { host: 'localhost:5000', url: setup.registry.url.replace('127.0.0.1', 'localhost') };
    const byName = setup.client.resolve({ ...setup.repository, registry: named }, 'latest', options);
    await expect(byName).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(setup.registry.log.entries).toEqual([]);
  });
});

describe('rate limits', () => {
  it('are told to the observer', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { headers: { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '42;w=21600' } };
    await setup.client.resolve(setup.repository, 'latest', options);
    expect(setup.seen.limits).toEqual([
      { registry: setup.registry.host, limit: 100, remaining: 42, windowSeconds: 21600 },
    ]);
  });
});
