/** The built-in store's directory is taken over in place and given back, with nothing copied and nothing lost. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { GeneratedImage } from '../../cli/demo/generated-image.ts';
import { containerdConfig } from '../support/containerd/containerd-config.ts';
import { type ContainerdProcess, startContainerd } from '../support/containerd/containerd-process.ts';
import { imageClient } from '../support/cri/image-client.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry/docker-registry.ts';
import { pushImage } from '../support/docker-registry/push.ts';
import { contentDigest } from '../support/node/content-of-containerd.ts';
import { heldByContainerd, unfinished, wrongBlobs } from '../support/node/content-directory.ts';
import { contentOf, layeredImage, pushable } from '../support/node/layered-image.ts';
import { contentSocketOf } from '../support/node/node-config.ts';
import { type NodeProcess, startNode } from '../support/node/node-process.ts';
import { told } from '../support/node/pair.ts';
import { describeVersions } from '../support/node/describe-versions.ts';

const DEADLINE_MS = 90_000;
const NAMESPACES = ['default', 'k8s.io'] as const;

describeVersions('taking over the built-in store', (version) => {
  let directory: string;
  let registry: DockerRegistry;
  let containerd: ContainerdProcess;
  let node: NodeProcess | undefined;
  const pulled = new Map<string, { image: GeneratedImage; text: string }>();
  const scenario = (title: string, work: () => Promise<void>) =>
    it(
      title,
      told(() => ({ containerd, ...(node && { node }) }), work),
      DEADLINE_MS,
    );

  beforeAll(async () => {
    directory = await makeTestDirectory('shoal-over-');
    registry = await startDockerRegistry();
    containerd = await startContainerd({ version, cri: true, directory: join(directory, 'c') });
  }, DEADLINE_MS);

  afterAll(async () => {
    await containerd?.stop();
    await node?.stop();
    await registry?.stop();
    await removeTestDirectory(directory);
  }, DEADLINE_MS);

  /** A new image, by ctr and by CRI. */
  const pull = async (text: string) => {
    const image = await layeredImage(text, { layerCount: 2 });
    const name = `library/${text.replaceAll(' ', '-')}`;
    await pushImage(registry.target(name), pushable(image));
    const reference = `${registry.host}/${name}:v1`;
    await containerd.pull(reference);
    using images = imageClient(containerd.socket);
    await images.pullImage(reference);
    pulled.set(reference, { image, text });
  };

  /** Every image pulled so far runs, and every blob of it can be read and is what its name says. */
  const expectEverything = async () => {
    await Promise.all(NAMESPACES.map(expectAllOf));
    expect(await wrongBlobs(containerd.contentDirectory)).toEqual([]);
  };

  const expectAllOf = async (namespace: string) => {
    const listed = (await containerd.ctr(['content', 'ls', '-q'], { namespace })).split('\n').filter(Boolean);
    for (const [reference, { image, text }] of pulled) {
      expect(listed).toEqual(expect.arrayContaining(contentOf(image)));
      expect(await containerd.runContainer(reference, ['cat', '/hello.txt'], { namespace })).toBe(`${text}\n`);
    }
    expect(await Promise.all(listed.map((digest) => contentDigest(containerd, digest, namespace)))).toEqual(listed);
  };

  const configure = async (plugin?: { address: string }) => {
    const { directory: below, snapshotter, configFile } = containerd;
    const settings = { version, directory: below, snapshotter, cri: true, ...(plugin && { plugin }) };
    await writeFile(configFile, containerdConfig(settings));
  };

  scenario(
    'images of the built-in store run through the node that takes its directory, and new ones are pulled',
    async () => {
      await pull('before');
      await containerd.terminate();
      const below = join(directory, 'n');
      await configure({ address: contentSocketOf(below) });
      node = await startNode({
        directory: below,
        contentRoot: containerd.contentDirectory,
        containerdSocket: containerd.socket,
        registries: [registry],
      });
      await containerd.start();
      await expectEverything();
      await registry.clearRequests();
      using images = imageClient(containerd.socket);
      for (const reference of pulled.keys()) {
        await containerd.pull(reference);
        await images.pullImage(reference);
      }
      expect(await registry.blobGets()).toEqual([]);
      await pull('meanwhile');
      await expectEverything();
      expect(await readFile(containerd.configFile, 'utf8')).toContain('[proxy_plugins.shoal]');
    },
  );

  scenario('the built-in store takes its directory back with every image in it', async () => {
    await containerd.terminate();
    await node?.terminate();
    await configure();
    await containerd.start();
    await expectEverything();
    await pull('afterwards');
    await expectEverything();
    expect((await unfinished(containerd.contentDirectory)).filter((name) => name.startsWith('ingest/'))).toEqual([]);
    const held = await heldByContainerd(containerd.contentDirectory);
    for (const { image } of pulled.values()) expect(held).toEqual(expect.arrayContaining(contentOf(image)));
  });

  scenario('the node takes it over once more after the built-in store has changed it', async () => {
    const [first = ''] = pulled.keys();
    for (const namespace of NAMESPACES) await containerd.ctr(['images', 'rm', '--sync', first], { namespace });
    pulled.delete(first);
    await containerd.terminate();
    await configure({ address: contentSocketOf(join(directory, 'n')) });
    await node?.start();
    await containerd.start();
    await pull('again');
    await expectEverything();
  });
});
