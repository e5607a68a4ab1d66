/** Every form of image that registries hold, through the mirror into each real containerd, and run there. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { ServableImage } from '../../cli/demo/image-server.ts';
import type { Digest } from '../../core/oci/digest.ts';
import { type ContainerdProcess, startContainerd } from '../support/containerd/containerd-process.ts';
import { writeHostsToml } from '../support/containerd/hosts-toml.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import { FakeRegistry } from '../support/fake-registry/fake-registry.ts';
import { attestedImage, dockerList, foreignLayerImage, zstdImage } from '../support/mirror/image-forms.ts';
import { describeVersions } from '../support/node/describe-versions.ts';
import { layeredImage } from '../support/node/layered-image.ts';
import { type NodeProcess, startNode } from '../support/node/node-process.ts';
import { told } from '../support/node/pair.ts';

const DEADLINE_MS = 120_000;
const REPOSITORY = 'library/forms';

describeVersions('Forms of images through the mirror', (version) => {
  let registry: FakeRegistry;
  let directory = '';
  let node: NodeProcess;
  let containerd: ContainerdProcess;
  let hostsDirectory = '';
  const scenario = (title: string, work: () => Promise<void>) =>
    it(
      title,
      told(() => ({ node, containerd }), work),
      DEADLINE_MS,
    );

  beforeAll(async () => {
    registry = await FakeRegistry.start();
    directory = await makeTestDirectory('shoal-forms-');
    node = await startNode({ directory: join(directory, 'n'), registries: [registry], mirror: true });
    hostsDirectory = await writeHostsToml(join(directory, 'hosts'), node.mirror);
    containerd = await startContainerd({ directory: join(directory, 'c'), version });
  }, DEADLINE_MS);

  afterAll(async () => {
    await containerd?.stop();
    await node?.stop();
    await registry?.[Symbol.asyncDispose]();
    await removeTestDirectory(directory);
  }, DEADLINE_MS);

  /** Pulls it through the mirror and runs it; it says `text`. */
  const pulledAndRun = async (image: ServableImage, tag: string, text: string) => {
    registry.put(REPOSITORY, image, tag);
    registry.log.clear();
    const reference = `${registry.host}/${REPOSITORY}:${tag}`;
    await containerd.pull(reference, { hostsDirectory });
    expect(await containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe(`${text}\n`);
    return reference;
  };

  /** Blobs that left the registry, in no order. */
  const blobGets = () =>
    registry.log.entries
      .filter(({ method, path, status }) => method === 'GET' && path.includes('/blobs/') && status < 300)
      .map(({ path }) => path.split('/').at(-1));

  scenario('an index of several platforms', async () => {
    const image = await layeredImage('index', { isIndex: true });
    await pulledAndRun(image, 'index', 'index');
    expect(new Set(blobGets()).size).toBe(blobGets().length);
  });

  scenario("Docker's manifest list and schema 2", async () => {
    const image = dockerList(await layeredImage('docker list', { isIndex: true }));
    await pulledAndRun(image, 'list', 'docker list');
    expect(new Set(blobGets()).size).toBe(blobGets().length);
  });

  scenario('zstd layers', async () => {
    const image = zstdImage(await layeredImage('zstd'));
    await pulledAndRun(image, 'zstd', 'zstd');
    expect(blobGets().toSorted()).toEqual([...image.blobs.keys()].toSorted());
  });

  scenario('attestation manifests beside the image', async () => {
    const image = attestedImage(await layeredImage('attested'));
    await pulledAndRun(image, 'attested', 'attested');
    const get = (path: string) => fetch(`http://${node.mirror}/v2/${REPOSITORY}/${path}?ns=${registry.host}`);
    const manifest = await get(`manifests/${image.attestation.digest}`);
    expect([manifest.status, manifest.headers.get('content-type')]).toEqual([200, image.attestation.mediaType]);
    const statement = await get(`blobs/${image.statement.digest}`);
    expect(Buffer.from(await statement.arrayBuffer())).toEqual(image.blobs.get(image.statement.digest));
  });

  scenario('a foreign layer, which containerd gets where the manifest says and the node leaves alone', async () => {
    let bytes = Buffer.alloc(0);
    const agents: (string | undefined)[] = [];
    const elsewhere = createServer((request, response) => {
      agents.push(request.headers['user-agent']);
      response.end(bytes);
    }).listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
    try {
      const { port } = elsewhere.address() as AddressInfo;
      const image = foreignLayerImage(await layeredImage('foreign'), `http://127.0.0.1:${port}/layer.tar.gz`);
      bytes = Buffer.from(image.foreign.bytes);
      await pulledAndRun(image, 'foreign', 'foreign');
      expect(agents.length).toBeGreaterThan(0);
      for (const agent of agents) expect(agent).toContain('containerd');
      expect(await holds(image.foreign.digest)).toBe(false);
    } finally {
      elsewhere.close();
      elsewhere.closeAllConnections();
    }
  });

  const holds = async (digest: Digest) => (await node.rows('blobs')).some((row) => row.digest === digest);
});
