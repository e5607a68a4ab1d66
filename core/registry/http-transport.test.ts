import { describe, expect, it } from '@jest/globals';
import { quiet, registrySetup } from '../../test/support/fake-registry/registry-setup.ts';
import { TEST_CERTIFICATE } from '../../test/support/fake-registry/test-certificate.ts';
import { digestOf } from '../oci/digest.ts';
import { HttpTransport } from './http-transport.ts';

describe('TLS', () => {
  it("trusts an endpoint's own certificate and no unknown one", async () => {
    await using setup = await registrySetup({ scheme: 'https', client: { attemptsMax: 1 } });
    const { repository, client, image } = setup;
    const unknown = client.resolve(repository, 'latest', { signal: quiet });
    await expect(unknown).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/self.signed/i),
    });
    const trusting = { ...repository, registry: { ...repository.registry, ca: TEST_CERTIFICATE } };
    await expect(client.resolve(trusting, 'latest', { signal: quiet })).resolves.toEqual(image.target);
    await expect(client.resolve(repository, 'latest', { signal: quiet })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });

  it('is not left, by a redirect or for a token', async () => {
    await using setup = await registrySetup({ scheme: 'https' });
    const registry = { ...setup.repository.registry, ca: TEST_CERTIFICATE };
    const repository = { ...setup.repository, registry };
    setup.registry.faults = { redirectBlobs: 'other-host' };
    const body = setup.client.blob(repository, setup.layer, { signal: quiet });
    await expect(Array.fromAsync(body)).rejects.toThrow(/would leave TLS/);
    setup.registry.faults = { auth: { kind: 'bearer', anonymous: true, realm: `${setup.registry.storageUrl}/token` } };
    const asked = setup.client.resolve(repository, 'latest', { signal: quiet });
    await expect(asked).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(setup.registry.log.entries.some(({ host }) => host === 'storage')).toBe(false);
  });
});

describe('HttpTransport', () => {
  it('open() gives any status as it is, without following, and uses its connection again', async () => {
    await using setup = await registrySetup();
    const transport = new HttpTransport();
    setup.registry.faults = { redirectBlobs: 'other-host' };
    const open = (path: string) =>
      transport.open({ method: 'GET', url: new URL(path, setup.registry.url), headers: {} }, { signal: quiet });
    const redirect = await open(`/v2/team/app/blobs/${setup.layer.digest}`);
    expect(redirect.status).toBe(307);
    await redirect.discard();
    const absent = await open('/nowhere');
    expect([absent.status, String(await absent.read(1000))]).toEqual([404, expect.stringContaining('NAME_UNKNOWN')]);
    expect(new Set(setup.registry.log.entries.map(({ connection }) => connection)).size).toBe(1);
    transport.close();
  });

  it('read() ends past its bound', async () => {
    await using setup = await registrySetup();
    const transport = new HttpTransport();
    const url = new URL(`/v2/team/app/blobs/${setup.layer.digest}`, setup.registry.url);
    const answer = await transport.open({ method: 'GET', url, headers: {} }, { signal: quiet });
    await expect(answer.read(1000)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    const whole = await transport.open({ method: 'GET', url, headers: {} }, { signal: quiet });
    expect(digestOf(await whole.read(setup.layer.size))).toBe(setup.layer.digest);
    transport.close();
  });
});
