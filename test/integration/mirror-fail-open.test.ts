/**
 * When things fail around the mirror: what a real containerd with hosts.toml does then. Wherever the registry can be reached it has
 * the image in the end; where it cannot, the fleet's last word of a tag and its bytes are enough.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { GeneratedImage } from '../../cli/demo/generated-image.ts';
import { type ContainerdProcess, startContainerd } from '../support/containerd/containerd-process.ts';
import { writeHostsToml } from '../support/containerd/hosts-toml.ts';
import { eventually } from '../support/debian/eventually.ts';
import { unmountBelow } from '../support/debian/mounts.ts';
import { runCommand } from '../support/debian/run-command.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry/docker-registry.ts';
import { openSlowDoor } from '../support/docker-registry/slow-door.ts';
import { pushImage } from '../support/docker-registry/push.ts';
import { describeVersions } from '../support/node/describe-versions.ts';
import { layeredImage, layersOf, pushable } from '../support/node/layered-image.ts';
import { freePort } from '../support/debian/free-port.ts';
import { type NodeProcess, startNode } from '../support/node/node-process.ts';
import { told } from '../support/node/pair.ts';

const DEADLINE_MS = 180_000;
const MIB = 1024 * 1024;
const REPOSITORY = 'library/app';

describeVersions('Failing open', (version) => {
  let registry: DockerRegistry;
  let directory = '';
  /** The one that containerd asks. */
  let node: NodeProcess;
  /** Another member of its mesh. */
  let other: NodeProcess;
  /** One whose disk has room for a few bytes only. */
  let full: NodeProcess;
  let containerd: ContainerdProcess;
  const hosts = (name: string) => join(directory, name);
  const scenario = (title: string, work: () => Promise<void>) =>
    it(
      title,
      told(() => ({ node, containerd }), work),
      DEADLINE_MS,
    );

  beforeAll(async () => {
    registry = await startDockerRegistry();
    directory = await makeTestDirectory('shoal-open-');
    const keyFile = join(directory, 'mesh.key');
    await writeFile(keyFile, randomBytes(32).toString('base64'), { mode: 0o600 });
    const [port, joinPort] = [await freePort(), await freePort()];
    const options = { registries: [registry], mirror: true };
    other = await startNode({
      ...{ ...options, directory: join(directory, 'o') },
      mesh: { name: 'other', port: joinPort, joinPort, keyFile },
    });
    node = await startNode({
      ...{ ...options, directory: join(directory, 'n') },
      mesh: { name: 'asked', port, joinPort, keyFile },
    });
    await eventually(node.membersAlive, (count) => count === 2);
    const contentRoot = join(directory, 'small');
    await mkdir(contentRoot);
    await mounted(contentRoot, 3 * MIB);
    full = await startNode({ ...options, directory: join(directory, 'f'), contentRoot, minFree: '1B' });
    await writeHostsToml(hosts('hosts'), node.mirror);
    await writeHostsToml(hosts('hosts-of-full'), full.mirror);
    containerd = await startContainerd({ directory: join(directory, 'c'), version });
  }, DEADLINE_MS);

  afterAll(async () => {
    await containerd?.stop();
    for (const part of [node, other, full]) await part?.stop();
    await registry?.stop();
    await unmountBelow(directory);
    await removeTestDirectory(directory);
  }, DEADLINE_MS);

  const mounted = async (path: string, bytes: number) => {
    const { exitCode, stderr } = await runCommand('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path]);
    if (exitCode !== 0) throw new Error(`mount: ${stderr}`);
  };

  /** Pushes it and forgets what the registry was asked until then. @returns its reference */
  const offered = async (tag: string, image: GeneratedImage) => {
    await pushImage(registry.target(REPOSITORY), pushable(image, tag));
    await registry.clearRequests();
    return `${registry.host}/${REPOSITORY}:${tag}`;
  };

  const says = async (reference: string, text: string) =>
    expect(await containerd.runContainer(reference, ['cat', '/hello.txt'])).toBe(`${text}\n`);

  /** Whole bodies of the image's layers, by who got them. */
  const layerAgents = async (image: GeneratedImage) => {
    const gets = await Promise.all(layersOf(image).map((digest) => registry.blobGets(digest)));
    return gets.flat().map(({ userAgent }) => userAgent.split('/')[0]);
  };

  scenario('a full disk: containerd gets the layers from the registry itself', async () => {
    const image = await layeredImage('no room', { layerCount: 2, layerSizeBytes: 6 * MIB });
    const reference = await offered('no-room', image);
    await containerd.pull(reference, { hostsDirectory: hosts('hosts-of-full') });
    await says(reference, 'no room');
    expect(await layerAgents(image)).toContain('containerd');
    expect(await full.metric('shoal_mirror_requests_total', { kind: 'manifest', status: '200' })).toBeGreaterThan(0);
  });

  scenario('the registry is down: what only another member knows and has is enough', async () => {
    const image = await layeredImage('known elsewhere', { layerCount: 2 });
    const reference = await offered('elsewhere', image);
    const path = `/v2/${REPOSITORY}/manifests/elsewhere?ns=${registry.host}`;
    await containerd.pull(reference, { hostsDirectory: await writeHostsToml(hosts('hosts-of-other'), other.mirror) });
    await containerd.ctr(['images', 'rm', '--sync', reference]);
    await registry.pause();
    try {
      const stale = await fetch(`http://${node.mirror}${path}`);
      expect([stale.status, stale.headers.get('docker-content-digest')]).toEqual([200, image.digest]);
      expect(stale.headers.get('warning')).toMatch(/^110 /);
      await containerd.pull(reference, { hostsDirectory: hosts('hosts') });
      await says(reference, 'known elsewhere');
      expect(await node.metric('shoal_mirror_stale_tags_total')).toBeGreaterThan(0);
    } finally {
      await registry.resume();
    }
  });

  scenario('the registry is down and nobody knows: 503, and the client asks the registry itself', async () => {
    const reference = await offered('unknown', await layeredImage('unknown'));
    await registry.pause();
    try {
      const answer = await fetch(`http://${node.mirror}/v2/${REPOSITORY}/manifests/unknown?ns=${registry.host}`);
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({ errors: [{ code: 'UNAVAILABLE' }] });
      await expect(containerd.pull(reference, { hostsDirectory: hosts('hosts') })).rejects.toThrow(registry.host);
    } finally {
      await registry.resume();
    }
    await containerd.pull(reference, { hostsDirectory: hosts('hosts') });
  });

  scenario('the rest of the mesh is away: the mirror goes on', async () => {
    await other.kill();
    try {
      const image = await layeredImage('alone');
      const reference = await offered('alone', image);
      await containerd.pull(reference, { hostsDirectory: hosts('hosts') });
      await says(reference, 'alone');
      // A layer of several pieces is several requests.
      const agents = await layerAgents(image);
      expect(agents.length).toBeGreaterThanOrEqual(layersOf(image).length);
      expect(new Set(agents)).toEqual(new Set(['shoal']));
    } finally {
      await other.start();
    }
  });

  scenario('the daemon is killed while it sends: containerd goes on at the registry', async () => {
    await using door = await openSlowDoor(registry, 8 * MIB);
    await using slow = await startNode({ registries: [{ host: registry.host, url: door.url }], mirror: true });
    const image = await layeredImage('cut', { layerCount: 1, layerSizeBytes: 24 * MIB });
    const reference = await offered('cut', image);
    const pulling = containerd.pull(reference, {
      hostsDirectory: await writeHostsToml(hosts('hosts-cut'), slow.mirror),
    });
    await eventually(
      () => slow.metric('shoal_mirror_bytes_total'),
      (sent) => sent > 4 * MIB,
    );
    await slow.kill();
    await pulling;
    await says(reference, 'cut');
    expect(await layerAgents(image)).toContain('containerd');
  });
});
