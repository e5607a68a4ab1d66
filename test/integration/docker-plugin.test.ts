/** A real dockerd that keeps its images in a containerd whose content store is the node: the plugin serves Docker, for every registry. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { GeneratedImage } from '../../cli/demo/generated-image.ts';
import { planDockerStore } from '../../cli/install/docker-plan.ts';
import { unavailable } from '../support/containerd/versions.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import { type Dockerd, dockerdUnavailable, startDockerd } from '../support/docker/dockerd.ts';
import {
  type DockerRegistry,
  dockerRegistryUnavailable,
  startDockerRegistry,
} from '../support/docker-registry/docker-registry.ts';
import { pushImage } from '../support/docker-registry/push.ts';
import { contentOf, layeredImage, layersOf, pushable } from '../support/node/layered-image.ts';
import { type Pair, startPair, told } from '../support/node/pair.ts';

const DEADLINE_MS = 120_000;
const CREDENTIALS = { username: 'docker', password: 'known-to-docker-only-1f0b' };
const REPOSITORY = 'team/app';
const reason = unavailable('2.1') ?? dockerRegistryUnavailable() ?? dockerdUnavailable('28');
if (reason !== undefined) process.stderr.write(`dockerd on a containerd with the plugin is not tested: ${reason}\n`);

(reason === undefined ? describe : describe.skip)('dockerd 28 with the containerd image store', () => {
  let open: DockerRegistry;
  let closed: DockerRegistry;
  let directory = '';
  let pair: Pair;
  let dockerd: Dockerd;
  const scenario = (title: string, work: () => Promise<void>) =>
    it(
      title,
      told(() => pair, work),
      DEADLINE_MS,
    );

  beforeAll(async () => {
    open = await startDockerRegistry();
    closed = await startDockerRegistry({ credentials: CREDENTIALS });
    directory = await makeTestDirectory('shoal-docker-');
    pair = await startPair({ containerd: { version: '2.1' }, node: { registries: [open, closed] } });
    const configFile = join(directory, 'daemon.json');
    for (const { after } of planDockerStore({ file: configFile, text: undefined }))
      await writeFile(configFile, after ?? '');
    const auth = Buffer.from(`${CREDENTIALS.username}:${CREDENTIALS.password}`).toString('base64');
    await mkdir(join(directory, 'd'));
    await writeFile(join(directory, 'd', 'config.json'), JSON.stringify({ auths: { [closed.host]: { auth } } }));
    dockerd = await startDockerd({
      ...{ version: '28', directory: join(directory, 'd'), configFile },
      ...{ containerdSocket: pair.containerd.socket, storageDriver: pair.containerd.snapshotter },
    });
  }, DEADLINE_MS);

  afterAll(async () => {
    for (const part of [dockerd, pair, open, closed]) await part?.stop();
    await removeTestDirectory(directory);
  }, DEADLINE_MS);

  /** Pushes it and forgets what the registry was asked until then. @returns its reference */
  const offered = async (tag: string, image: GeneratedImage, at: DockerRegistry) => {
    await pushImage(at.target(REPOSITORY), pushable(image, tag));
    await at.clearRequests();
    return `${at.host}/${REPOSITORY}:${tag}`;
  };

  const docker = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await dockerd.docker(args);
    if (exitCode !== 0) throw new Error(`docker ${args[0]}: ${stderr}\n${await dockerd.log()}`);
    return stdout;
  };

  const heldByContainerd = async () =>
    (await pair.node.rows('blobs')).filter(({ holds }) => holds?.includes('containerd')).map(({ digest }) => digest);

  scenario('a private image that only Docker may read lies in the plugin, and nowhere else', async () => {
    const image = await layeredImage('private of docker', { layerCount: 3, isIndex: true });
    const reference = await offered('v1', image, closed);
    await docker('pull', reference);
    expect(await docker('info', '--format', '{{.DriverStatus}}')).toContain('io.containerd.snapshotter.v1');
    expect(await docker('run', '--rm', '--network', 'none', reference, 'cat', '/hello.txt')).toBe(
      'private of docker\n',
    );
    expect(await heldByContainerd()).toEqual(expect.arrayContaining(contentOf(image)));
    expect(await readdir(pair.containerd.contentDirectory).catch(() => [])).toEqual([]);
    for (const digest of layersOf(image)) expect(await closed.blobGets(digest)).toHaveLength(1);
    expect(await pair.node.log()).not.toContain(CREDENTIALS.password);
    await closed.clearRequests();
    await docker('rmi', reference);
    await docker('pull', reference);
    expect(await closed.blobGets()).toEqual([]);
  });

  scenario('of a registry that the node may read Docker fetches no layer: the plugin claims them', async () => {
    const image = await layeredImage('claimed for docker', { layerCount: 3 });
    const reference = await offered('v1', image, open);
    const before = await pair.node.metric('shoal_claims_total', { answer: 'fleet' });
    await docker('pull', reference);
    expect(await docker('run', '--rm', '--network', 'none', reference, 'cat', '/hello.txt')).toBe(
      'claimed for docker\n',
    );
    expect(await pair.node.metric('shoal_claims_total', { answer: 'fleet' })).toBeGreaterThanOrEqual(before + 3);
    for (const digest of layersOf(image)) {
      expect((await open.blobGets(digest)).map(({ userAgent }) => userAgent)).toEqual(['shoal']);
    }
  });
});
