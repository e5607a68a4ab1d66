/** The registry client against distribution's own registry, with and without a password. */
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { childrenOf, parseManifest } from '../../core/oci/manifest.ts';
import { hostPlatform, choosePlatform } from '../../core/oci/platform.ts';
import { createRegistryClient } from '../../core/registry/http-registry-client.ts';
import { dockerRegistryUnavailable, startDockerRegistry } from '../support/docker-registry/docker-registry.ts';
import { pushImage } from '../support/docker-registry/push.ts';
import { testImage } from '../support/test-image.ts';

const { signal } = new AbortController();
const missing = dockerRegistryUnavailable();
const person = { username: 'ann', password: 'hunter2' };

(missing === undefined ? describe : describe.skip)(
  `registry client${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    it.each([
      ['without credentials', undefined],
      ['with basic credentials', person],
    ])('pulls an index, its image and every blob %s', async (_, credentials) => {
      await using registry = await startDockerRegistry(credentials === undefined ? {} : { credentials });
      const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }));
      const image = await testImage({ platforms });
      const pushed = { blobs: [...image.blobs.values()], manifests: [...image.manifests.values()], tag: 'v1' };
      await pushImage(registry.target('team/app'), pushed);

      const client = createRegistryClient();
      const endpoint = { host: registry.host, url: registry.url, isConfigured: true };
      const credential = credentials && { kind: 'basic' as const, ...credentials };
      const repository = { registry: endpoint, name: 'team/app', ...(credential === undefined ? {} : { credential }) };
      try {
        const target = await client.resolve(repository, 'v1', { signal });
        expect(target).toEqual(image.target);
        const index = await client.manifest(repository, target.digest, { signal, descriptor: target });
        const entry = choosePlatform(childrenOf(parseManifest(index.bytes)), hostPlatform('arm64'));
        if (entry === undefined) throw new Error('Index has no arm64');
        const chosen = await client.manifest(repository, entry.digest, { signal, descriptor: entry });
        for (const child of childrenOf(parseManifest(chosen.bytes, chosen.descriptor.mediaType))) {
          await expect(client.hasBlob(repository, child.digest, { signal })).resolves.toEqual({ size: child.size });
          const half = Math.floor(child.size / 2);
          const head = await buffer(client.blob(repository, child, { signal, end: half }));
          const tail = await buffer(client.blob(repository, child, { signal, offset: half }));
          expect(digestOf(Buffer.concat([head, tail]))).toBe(child.digest);
        }
        await expect(client.resolve(repository, 'absent', { signal })).rejects.toMatchObject({ code: 'NOT_FOUND' });
        await expect(client.hasBlob(repository, digestOf('absent'), { signal })).resolves.toBeUndefined();
        if (credentials !== undefined) {
          const stranger = client.resolve({ registry: endpoint, name: 'team/app' }, 'v1', { signal });
          await expect(stranger).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
        }
      } finally {
        client.close();
      }
    });
  },
);
