import { describe, expect, it } from '@jest/globals';
import { OCI_EMPTY, OCI_MANIFEST } from '../oci/media-types.ts';
import { digestOf } from '../oci/digest.ts';
import { storedManifest } from '../../cli/demo/image-server.ts';
import { quiet, registrySetup } from '../../test/support/fake-registry/registry-setup.ts';

const options = { signal: quiet };

describe('tags()', () => {
  it('gives pages, each with the query of the next one, and leaves out what is no tag', async () => {
    await using setup = await registrySetup();
    const { client, repository, registry, image } = setup;
    registry.put('team/app', image, 'b', 'a', 'not a tag');
    await expect(client.tags(repository, options)).resolves.toEqual({ tags: ['a', 'b', 'latest'] });
    const first = await client.tags(repository, { ...options, query: 'n=2' });
    expect(first).toEqual({ tags: ['a', 'b'], next: 'last=b&n=2' });
    await expect(client.tags(repository, { ...options, query: 'n=2&last=b' })).resolves.toEqual({
      tags: ['latest'],
    });
  });

  it('says NOT_FOUND for a repository that is not there', async () => {
    await using setup = await registrySetup({ repository: { name: 'team/absent' } });
    await expect(setup.client.tags(setup.repository, options)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('referrers()', () => {
  it('gives the index of what refers to a manifest, filtered where the registry filters', async () => {
    await using setup = await registrySetup();
    const { client, repository, registry, image } = setup;
    const empty = { mediaType: OCI_EMPTY, digest: digestOf('{}'), size: 2 };
    const subject = { ...image.target };
    const signature = storedManifest(OCI_MANIFEST, {
      ...{ schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType: 'application/x.signature', config: empty },
      ...{ layers: [empty], subject },
    });
    registry.put('team/app', { ...image, manifests: new Map([[signature.digest, signature.stored]]) }, 'sig');
    const page = await client.referrers(repository, image.digest, options);
    expect(JSON.parse(page?.bytes.toString() ?? '')).toMatchObject({ manifests: [{ digest: signature.digest }] });
    expect(page?.isFiltered).toBe(false);
    const none = await client.referrers(repository, image.digest, { ...options, query: 'artifactType=x' });
    expect(JSON.parse(none?.bytes.toString() ?? '')).toMatchObject({ manifests: [] });
    expect(none?.isFiltered).toBe(true);
  });

  it('gives nothing where the registry has no such list', async () => {
    await using setup = await registrySetup();
    setup.registry.faults = { hidesLists: true };
    await expect(setup.client.referrers(setup.repository, setup.image.digest, options)).resolves.toBeUndefined();
  });
});
