/** A real dockerd that `shoal install docker` has pointed at the mirror, pulling from a stand-in for docker.io. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { planDocker } from '../../cli/install/docker-plan.ts';
import { type ContainerdProcess, startContainerd } from '../support/containerd/containerd-process.ts';
import { unavailable } from '../support/containerd/versions.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import { type DockerIo, dockerIoUnavailable, startDockerIo } from '../support/docker/docker-io.ts';
import { DOCKER_VERSIONS, type Dockerd, dockerdUnavailable, startDockerd } from '../support/docker/dockerd.ts';
import {
  type DockerRegistry,
  dockerRegistryUnavailable,
  startDockerRegistry,
} from '../support/docker-registry/docker-registry.ts';
import { pushImage } from '../support/docker-registry/push.ts';
import { blobsOf, layeredImage, pushable } from '../support/node/layered-image.ts';
import { type NodeProcess, startNode } from '../support/node/node-process.ts';

const DEADLINE_MS = 120_000;

describe.each(DOCKER_VERSIONS)('The mirror with dockerd %s', (version) => {
  const reason =
    unavailable('1.6') ?? dockerRegistryUnavailable() ?? dockerdUnavailable(version) ?? dockerIoUnavailable();
  if (reason !== undefined) process.stderr.write(`The mirror with dockerd ${version} is not tested: ${reason}\n`);
  const scenario = reason === undefined ? it : it.skip;
  /** docker.io as the node knows it. */
  let registry: DockerRegistry;
  /** docker.io as Docker finds it by itself. */
  let hub: DockerRegistry;
  let dockerIo: DockerIo;
  let directory = '';
  let node: NodeProcess;
  let containerd: ContainerdProcess;
  let dockerd: Dockerd;

  beforeAll(async () => {
    if (reason !== undefined) return;
    registry = await startDockerRegistry();
    hub = await startDockerRegistry();
    directory = await makeTestDirectory('shoal-docker-');
    node = await startNode({
      directory: join(directory, 'n'),
      registries: [{ host: 'docker.io', url: registry.url }],
      mirror: true,
    });
    containerd = await startContainerd({ directory: join(directory, 'c'), version: '1.6' });
    const configFile = join(directory, 'daemon.json');
    for (const { after } of planDocker({ file: configFile, text: undefined }, `http://${node.mirror}`)) {
      await writeFile(configFile, after ?? '');
    }
    dockerIo = await startDockerIo(directory, hub.url);
    dockerd = await startDockerd({
      env: dockerIo.env,
      version,
      directory: join(directory, 'd'),
      configFile,
      containerdSocket: containerd.socket,
    });
  }, DEADLINE_MS);

  afterAll(async () => {
    for (const part of [dockerd, containerd, node, registry, hub]) await part?.stop();
    await dockerIo?.[Symbol.asyncDispose]();
    await removeTestDirectory(directory);
  }, DEADLINE_MS);

  scenario(
    'docker pulls library/… through it, each blob leaves the registry once, and a second pull none',
    async () => {
      const image = await layeredImage('by docker', { layerCount: 2, isIndex: true });
      await pushImage(registry.target('library/app'), pushable(image, 'v1'));
      await registry.clearRequests();
      const first = await dockerd.docker(['pull', 'app:v1']);
      expect(`${first.stderr}${first.exitCode}`).toBe('0');
      const inspected = await dockerd.docker(['image', 'inspect', '--format', '{{json .RepoDigests}}', 'app:v1']);
      expect(JSON.parse(inspected.stdout)).toEqual([`app@${image.digest}`]);
      const paths = (await registry.blobGets()).map(({ path }) => path);
      for (const digest of blobsOf(image)) expect(paths.filter((path) => path.includes(digest))).toHaveLength(1);
      await registry.clearRequests();
      expect((await dockerd.docker(['rmi', 'app:v1'])).exitCode).toBe(0);
      expect((await dockerd.docker(['pull', 'app:v1'])).exitCode).toBe(0);
      expect(await registry.blobGets()).toEqual([]);
    },
    DEADLINE_MS,
  );

  /** Pulls an image that only docker.io itself can give now. */
  const pulledFromDockerIo = async (tag: string) => {
    const image = await layeredImage(`from docker.io ${tag}`, { layerCount: 2 });
    await pushImage(hub.target('library/app'), pushable(image, tag));
    const before = dockerIo.asked.length;
    const pulled = await dockerd.docker(['pull', `app:${tag}`]);
    expect(`${pulled.stderr}${pulled.exitCode}`).toBe('0');
    expect(dockerIo.asked.slice(before)).toContain('registry-1.docker.io:443');
    for (const digest of blobsOf(image)) expect(await hub.blobGets(digest)).toHaveLength(1);
  };

  scenario(
    'docker goes to docker.io itself while the registry is down for the node, and while the node is away',
    async () => {
      await registry.pause();
      try {
        await pulledFromDockerIo('upstream-down');
      } finally {
        await registry.resume();
      }
      await node.terminate();
      try {
        await pulledFromDockerIo('node-away');
      } finally {
        await node.start();
      }
    },
    DEADLINE_MS,
  );
});
