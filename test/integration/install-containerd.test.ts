/** `shoal install containerd` and back, on real containerd: its directory taken over, its configuration as it was, no image lost. */
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { GeneratedImage } from '../../cli/demo/generated-image.ts';
import { runShoal } from '../support/cli/run-shoal.ts';
import { type ContainerdProcess, startContainerd } from '../support/containerd/containerd-process.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry/docker-registry.ts';
import { pushImage } from '../support/docker-registry/push.ts';
import { contentDigest } from '../support/node/content-of-containerd.ts';
import { contentOf, layeredImage, pushable } from '../support/node/layered-image.ts';
import { type NodeProcess, startNode } from '../support/node/node-process.ts';
import { told } from '../support/node/pair.ts';
import { describeVersions } from '../support/node/describe-versions.ts';

const DEADLINE_MS = 120_000;

describeVersions('installing into containerd', (version) => {
  let directory: string;
  let registry: DockerRegistry;
  let containerd: ContainerdProcess;
  let node: NodeProcess;
  let image: GeneratedImage;
  let reference: string;
  let originals: { containerd: string; shoal: string };
  const scenario = (title: string, work: () => Promise<void>) =>
    it(
      title,
      told(() => ({ containerd, node }), work),
      DEADLINE_MS,
    );

  beforeAll(async () => {
    directory = await makeTestDirectory('shoal-inst-');
    registry = await startDockerRegistry();
    containerd = await startContainerd({ version, directory: join(directory, 'c') });
    node = await startNode({
      directory: join(directory, 'n'),
      containerdSocket: containerd.socket,
      registries: [registry],
    });
    await node.terminate();
    image = await layeredImage('installed', { layerCount: 2 });
    await pushImage(registry.target('library/installed'), pushable(image));
    reference = `${registry.host}/library/installed:v1`;
    originals = await configurations();
  }, DEADLINE_MS);

  afterAll(async () => {
    await containerd?.stop();
    await node?.stop();
    await registry?.stop();
    await removeTestDirectory(directory);
  }, DEADLINE_MS);

  const configurations = async () => ({
    containerd: await readFile(containerd.configFile, 'utf8'),
    shoal: await readFile(node.configFile, 'utf8'),
  });
  const run = (command: string, ...more: string[]) =>
    runShoal([
      command,
      'containerd',
      '--config',
      node.configFile,
      '--containerd-config',
      containerd.configFile,
      ...more,
    ]);
  const expectReadable = async () => {
    for (const digest of contentOf(image)) expect(await contentDigest(containerd, digest, 'default')).toBe(digest);
  };
  const isOurs = async () =>
    access(join(containerd.contentDirectory, 'shoal')).then(
      () => true,
      () => false,
    );

  scenario('an image of the built-in store is read through the plugin', async () => {
    await containerd.pull(reference);
    await containerd.terminate();
    expect(await run('install')).toMatchObject({ code: 0 });
    await node.start();
    await containerd.start();
    await expectReadable();
    expect(await node.metric('shoal_reads_total')).toBeGreaterThan(0);
    expect(await containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe('installed\n');
  });

  scenario('uninstalling waits for the daemon to be gone, and gives the configuration back at once', async () => {
    expect(await run('uninstall')).toMatchObject({ code: 3 });
    expect(await configurations()).toEqual(originals);
    expect(await isOurs()).toBe(true);
    await containerd.restart();
    await node.terminate();
    expect(await run('uninstall')).toMatchObject({ code: 0 });
    expect(await isOurs()).toBe(false);
    await expectReadable();
    expect(await containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe('installed\n');
  });

  scenario('a claim that never arrived is given back, and the next pull fetches it', async () => {
    const [lost = ''] = contentOf(image).slice(-1);
    const hex = lost.slice('sha256:'.length);
    const blob = join(containerd.contentDirectory, 'blobs/sha256', hex);
    const claims = join(containerd.contentDirectory, 'shoal/claims');
    await mkdir(claims, { recursive: true });
    await writeFile(join(claims, hex), '{}');
    await rm(blob);
    await containerd.terminate();
    expect(await run('uninstall')).toMatchObject({ code: 1, stderr: expect.stringContaining(lost) });
    await containerd.start();
    expect(await run('uninstall')).toMatchObject({ code: 0 });
    expect(await isOurs()).toBe(false);
    await containerd.pull(reference);
    await access(blob);
    await expectReadable();
  });
});
