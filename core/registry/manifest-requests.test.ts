import { describe, expect, it } from '@jest/globals';
import { quiet, registrySetup } from '../../test/support/fake-registry/registry-setup.ts';
import { digestOf } from '../oci/digest.ts';
import { parseManifest } from '../oci/manifest.ts';

const options = { signal: quiet };

describe('resolve()', () => {
  it('asks by HEAD alone, for a tag and for a digest', async () => {
    await using setup = await registrySetup();
    const { client, repository, image, registry } = setup;
    await expect(client.resolve(repository, 'latest', options)).resolves.toEqual(image.target);
    await expect(client.resolve(repository, image.digest, options)).resolves.toEqual(image.target);
    expect(registry.log.lines()).toEqual([
      'HEAD /v2/team/app/manifests/latest 200',
      `HEAD /v2/team/app/manifests/${image.digest} 200`,
    ]);
    expect(new Set(registry.log.entries.map(({ connection }) => connection)).size).toBe(1);
  });

  it.each([{ hideDigest: true }, { refuseHead: 405 }, { refuseHead: 501 }, { refuseHead: 400 }])(
    'asks by GET when HEAD says too little (%j)',
    async (faults) => {
      await using setup = await registrySetup();
      setup.registry.faults = faults;
      await expect(setup.client.resolve(setup.repository, 'latest', options)).resolves.toEqual(setup.image.target);
      expect(setup.registry.log.entries.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
    },
  );

  it('says NOT_FOUND for a tag that is not there', async () => {
    await using setup = await registrySetup();
    const asked = setup.client.resolve(setup.repository, 'absent', options);
    await expect(asked).rejects.toMatchObject({ code: 'NOT_FOUND', status: 404 });
    await expect(asked).rejects.toThrow(
      `Image "${setup.registry.host}/team/app:absent" was not found in that registry (404)`,
    );
  });

  it.each(['../blobs/x', 'a/b', '', 'sha512:00', '.'])(
    'refuses the reference "%s" without asking',
    async (reference) => {
      await using setup = await registrySetup();
      const asked = (async () => setup.client.resolve(setup.repository, reference, options))();
      await expect(asked).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect(setup.registry.log.entries).toEqual([]);
    },
  );

  it('refuses a repository name that climbs', async () => {
    await using setup = await registrySetup({ repository: { name: '../../token' } });
    const asked = setup.client.resolve(setup.repository, 'latest', options);
    await expect(asked).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(setup.client.hasBlob(setup.repository, digestOf('x'), options)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(setup.download()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(setup.client.pullToken(setup.repository, options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('manifest()', () => {
  it('gives the proven bytes and their descriptor', async () => {
    await using setup = await registrySetup();
    const found = await setup.client.manifest(setup.repository, 'latest', options);
    expect(found.descriptor).toEqual(setup.image.target);
    expect(digestOf(found.bytes)).toBe(setup.image.digest);
    expect(parseManifest(found.bytes, found.descriptor.mediaType).kind).toBe('manifest');
    expect(setup.seen.requests).toEqual(['manifest GET 200']);
    expect(setup.seen.bytes.manifest).toBe(found.bytes.length);
  });

  it('is DATA_LOSS when the bytes do not match the digest, asked for or stated', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { wrongManifests: true };
    for (const reference of [setup.image.digest, 'latest']) {
      const asked = setup.client.manifest(setup.repository, reference, options);
      await expect(asked).rejects.toMatchObject({ code: 'DATA_LOSS' });
    }
    setup.registry.faults = { wrongManifests: true, hideDigest: true };
    const asked = setup.client.manifest(setup.repository, 'latest', { ...options, descriptor: setup.image.target });
    await expect(asked).rejects.toMatchObject({ code: 'DATA_LOSS' });
  });

  it('reads no more than the descriptor says', async () => {
    await using setup = await registrySetup();
    const descriptor = { ...setup.image.target, size: 10 };
    const asked = setup.client.manifest(setup.repository, 'latest', { ...options, descriptor });
    await expect(asked).rejects.toThrow(/has more than 10 bytes/);
    await expect(asked).rejects.toMatchObject({ code: 'DATA_LOSS' });
  });

  it('refuses Docker schema 1 by name', async () => {
    await using setup = await registrySetup();
    const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
    setup.registry.faults = { headers: { 'content-type': type } };
    const asked = setup.client.manifest(setup.repository, 'latest', options);
    await expect(asked).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(asked).rejects.toThrow(/schema 1/);
  });
});
