/** The kubelet's credential provider plugins, as real programs: what they answer serves the mirror and the plugin's own downloads. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { unavailable } from '../support/containerd/versions.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import {
  type DockerRegistry,
  dockerRegistryUnavailable,
  startDockerRegistry,
} from '../support/docker-registry/docker-registry.ts';
import { pushImage } from '../support/docker-registry/push.ts';
import { layeredImage, layersOf, pushable } from '../support/node/layered-image.ts';
import { startNode } from '../support/node/node-process.ts';
import { withPair } from '../support/node/pair.ts';

const DEADLINE_MS = 120_000;
const CREDENTIALS = { username: 'AWS', password: 'short-lived-token-93ee' };
const REPOSITORY = 'team/app';
const reason = unavailable('1.7') ?? dockerRegistryUnavailable();
if (reason !== undefined) process.stderr.write(`Credential providers are not tested: ${reason}\n`);

(reason === undefined ? describe : describe.skip)('Credential provider plugins of the kubelet', () => {
  let registry: DockerRegistry;
  let directory = '';
  const providers = () => ({ config: join(directory, 'providers.yaml'), binDirectory: directory });

  beforeAll(async () => {
    registry = await startDockerRegistry({ credentials: CREDENTIALS });
    directory = await makeTestDirectory('shoal-providers-');
    const version = 'credentialprovider.kubelet.k8s.io/v1';
    await writeFile(
      join(directory, 'ecr-like'),
      `#!/bin/sh
cat >> '${join(directory, 'runs')}'
cat <<END
{ "kind": "CredentialProviderResponse", "apiVersion": "${version}", "cacheKeyType": "Registry", "cacheDuration": "6h",
  "auth": { "$PATTERN": { "username": "$1", "password": "${CREDENTIALS.password}" } } }
END
`,
    );
    await chmod(join(directory, 'ecr-like'), 0o755);
    const port = registry.host.split(':')[1];
    await writeFile(
      providers().config,
      `apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
  - name: ecr-like
    apiVersion: ${version}
    matchImages: ["*.*.0.1:${port}"]
    defaultCacheDuration: "12h"
    args: [${CREDENTIALS.username}]
    env: [{ name: PATTERN, value: "127.0.0.*:${port}" }]
`,
    );
  }, DEADLINE_MS);

  afterAll(async () => {
    await registry?.stop();
    await removeTestDirectory(directory);
  }, DEADLINE_MS);

  const pushed = async (text: string) => {
    const image = await layeredImage(text, { layerCount: 2 });
    await pushImage(registry.target(REPOSITORY), pushable(image, 'v1'));
    await registry.clearRequests();
    return image;
  };

  it(
    'the mirror serves a private image with what a plugin answers, which is asked once',
    async () => {
      const image = await pushed('from the mirror');
      await using node = await startNode({
        registries: [registry],
        mirror: true,
        credentialProviders: providers(),
      });
      const get = (path: string) => fetch(`http://${node.mirror}/v2/${REPOSITORY}/${path}?ns=${registry.host}`);
      const manifest = await get('manifests/v1');
      expect([manifest.status, manifest.headers.get('docker-content-digest')]).toEqual([200, image.digest]);
      for (const digest of layersOf(image)) {
        const blob = await get(`blobs/${digest}`);
        expect(blob.status).toBe(200);
        expect(digestOf(Buffer.from(await blob.arrayBuffer()))).toBe(digest);
      }
      const runs = (await readFile(join(directory, 'runs'), 'utf8')).trim().split('\n');
      expect(runs.map((run): unknown => JSON.parse(run))).toEqual([
        expect.objectContaining({ kind: 'CredentialProviderRequest', image: `${registry.host}/${REPOSITORY}` }),
      ]);
      expect(await node.log()).not.toContain(CREDENTIALS.password);
    },
    DEADLINE_MS,
  );

  it(
    'containerd fetches no layer of a private image: the node may read it, so the plugin claims them',
    async () => {
      const image = await pushed('claimed');
      const options = {
        containerd: { version: '1.7' as const },
        node: { registries: [registry], credentialProviders: providers() },
      };
      await withPair(options, async ({ containerd, node }) => {
        const reference = `${registry.host}/${REPOSITORY}:v1`;
        await containerd.pull(reference, { credentials: CREDENTIALS });
        expect(await containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe('claimed\n');
        for (const digest of layersOf(image)) {
          expect((await registry.blobGets(digest)).map(({ userAgent }) => userAgent)).toEqual(['shoal']);
        }
        expect(await node.metric('shoal_claims_total', { answer: 'fleet' })).toBeGreaterThan(0);
      });
    },
    DEADLINE_MS,
  );
});
