/** curl, skopeo and Podman from Debian through the mirror; Podman and curl also as callers whose own credentials count. */
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { GeneratedImage } from '../../cli/demo/generated-image.ts';
import { digestOf } from '../../core/oci/digest.ts';
import { type CommandResult, runCommand } from '../support/debian/run-command.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import {
  type DockerRegistry,
  dockerRegistryUnavailable,
  startDockerRegistry,
} from '../support/docker-registry/docker-registry.ts';
import { pushImage } from '../support/docker-registry/push.ts';
import { artifactOf, emptyLayerImage, pushableForm } from '../support/mirror/image-forms.ts';
import { layeredImage, layersOf, pushable } from '../support/node/layered-image.ts';
import { type NodeProcess, startNode } from '../support/node/node-process.ts';

const DEADLINE_MS = 120_000;
const CREDENTIALS = { username: 'reader', password: 'only-the-caller-knows-31d8' };
const USER = `${CREDENTIALS.username}:${CREDENTIALS.password}`;
const REPOSITORY = 'library/app';

const noRegistry = dockerRegistryUnavailable();
if (noRegistry !== undefined) process.stderr.write(`The mirror's clients are not tested: ${noRegistry}\n`);
const describeIt = noRegistry === undefined ? describe : describe.skip;

/** A test that needs a program; without it stderr says so. */
function itWith(program: string, title: string, work: () => Promise<void>): void {
  const isThere = spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
  if (!isThere) process.stderr.write(`${title} is not tested: ${program} is not installed (.ci/debian-packages)\n`);
  (isThere ? it : it.skip)(title, work, DEADLINE_MS);
}

describeIt("The mirror's clients", () => {
  let registry: DockerRegistry;
  let closed: DockerRegistry;
  let directory = '';
  /** Its own rights decide; `docker.io` is the open registry. */
  let node: NodeProcess;
  /** Each caller's own rights decide; `docker.io` is the one with a password. */
  let asking: NodeProcess;
  let image: GeneratedImage;

  beforeAll(async () => {
    registry = await startDockerRegistry();
    closed = await startDockerRegistry({ credentials: CREDENTIALS });
    directory = await makeTestDirectory('shoal-clients-');
    await writeFile(join(directory, 'auth.json'), '{}');
    image = await layeredImage('by clients', { layerCount: 2, isIndex: true });
    for (const at of [registry, closed]) await pushImage(at.target(REPOSITORY), pushable(image, 'v1'));
    const hub = (url: string) => [{ host: 'docker.io', url }];
    node = await startNode({
      registries: [...hub(registry.url), { host: 'registry.example', url: registry.url }],
      mirror: true,
    });
    asking = await startNode({ registries: hub(closed.url), mirror: true, authorize: 'caller' });
  }, DEADLINE_MS);

  afterAll(async () => {
    for (const part of [node, asking, registry, closed]) await part?.stop();
    await removeTestDirectory(directory);
  }, DEADLINE_MS);

  const run = async (program: string, args: readonly string[]): Promise<CommandResult> => {
    return runCommand(program, args, {
      env: {
        ...{ HOME: directory, REGISTRY_AUTH_FILE: join(directory, 'auth.json') },
        CONTAINERS_REGISTRIES_CONF: join(directory, '.config', 'containers', 'registries.conf'),
      },
      deadlineMs: DEADLINE_MS,
    });
  };
  const good = async (program: string, args: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await run(program, args);
    if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}: ${stderr}\n${await node.logEnd()}`);
    return stdout;
  };

  itWith('curl', 'curl gets manifest, blob and range, over the registry in the path too', async () => {
    const at = (path: string) => `http://${node.mirror}/v2/${path}`;
    const manifest = await good('curl', ['-fsS', at(`${REPOSITORY}/manifests/v1`)]);
    expect(digestOf(manifest)).toBe(image.digest);
    expect(digestOf(await good('curl', ['-fsS', at(`registry.example/${REPOSITORY}/manifests/v1`)]))).toBe(
      image.digest,
    );
    const [layer = ''] = layersOf(image);
    const file = join(directory, 'layer');
    await good('curl', ['-fsS', '-o', file, at(`${REPOSITORY}/blobs/${layer}`)]);
    expect((await good('sha256sum', [file])).slice(0, 64)).toBe(layer.slice(7));
    const status = ['-s', '-o', '/dev/null', '-w', '%{http_code}'];
    expect(await good('curl', [...status, '-r', '0-9', at(`${REPOSITORY}/blobs/${layer}`)])).toBe('206');
    expect(await good('curl', [...status, '-I', at(`${REPOSITORY}/manifests/none`)])).toBe('404');
  });

  itWith('curl', 'curl shows its own name where callers are checked', async () => {
    const url = `http://${asking.mirror}/v2/${REPOSITORY}/manifests/v1`;
    const status = ['-s', '-o', '/dev/null', '-w', '%{http_code}'];
    expect(await good('curl', [...status, url])).toBe('401');
    expect(await good('curl', [...status, '-u', 'reader:wrong', url])).toBe('401');
    expect(await good('curl', [...status, '-u', USER, url])).toBe('200');
    // Here by now, and still not for everybody.
    const [layer = ''] = layersOf(image);
    const blob = `http://${asking.mirror}/v2/${REPOSITORY}/blobs/${layer}`;
    expect(await good('curl', [...status, '-u', USER, blob])).toBe('200');
    expect(await good('curl', [...status, blob])).toBe('401');
    expect(await asking.log()).not.toContain(CREDENTIALS.password);
  });

  itWith('skopeo', 'skopeo inspects and copies through it', async () => {
    const reference = `docker://${node.mirror}/${REPOSITORY}:v1`;
    const insecure = '--src-tls-verify=false';
    const inspected = JSON.parse(await good('skopeo', ['inspect', '--tls-verify=false', reference]));
    expect(inspected).toMatchObject({ RepoTags: ['v1'] });
    await good('skopeo', [
      '--insecure-policy',
      'copy',
      insecure,
      '--all',
      reference,
      `dir:${join(directory, 'copied')}`,
    ]);
    const [layer = ''] = layersOf(image);
    expect((await good('sha256sum', [join(directory, 'copied', layer.slice(7))])).slice(0, 64)).toBe(layer.slice(7));
  });

  // No containerd takes one: it refuses every descriptor of no bytes by itself.
  itWith('skopeo', 'skopeo copies an image with a layer of no bytes', async () => {
    const empty = emptyLayerImage(image);
    await pushImage(registry.target('library/empty'), { ...pushableForm(empty), tag: 'v1' });
    const [copied, layer] = [join(directory, 'empty'), digestOf('')];
    const reference = `docker://${node.mirror}/library/empty:v1`;
    await good('skopeo', ['--insecure-policy', 'copy', '--src-tls-verify=false', reference, `dir:${copied}`]);
    expect((await stat(join(copied, layer.slice(7)))).size).toBe(0);
    const get = (init?: RequestInit) => fetch(`http://${node.mirror}/v2/library/empty/blobs/${layer}`, init);
    for (const method of ['GET', 'HEAD']) {
      const answer = await get({ method });
      expect([answer.status, answer.headers.get('content-length')]).toEqual([200, '0']);
      expect(await answer.text()).toBe('');
    }
    expect((await get({ headers: { range: 'bytes=0-0' } })).status).toBe(416);
  });

  itWith('skopeo', 'skopeo copies an artifact', async () => {
    const sbom = artifactOf(image, 'application/x.sbom', Buffer.from('a list of parts'));
    await pushImage(registry.target(REPOSITORY), { ...pushableForm(sbom), tag: 'sbom' });
    const copied = join(directory, 'artifact');
    const reference = `docker://${node.mirror}/${REPOSITORY}:sbom`;
    await good('skopeo', ['--insecure-policy', 'copy', '--src-tls-verify=false', reference, `dir:${copied}`]);
    expect(await readFile(join(copied, sbom.layer.digest.slice(7)), 'utf8')).toBe('a list of parts');
    const manifest = await fetch(`http://${node.mirror}/v2/${REPOSITORY}/manifests/sbom`);
    expect(await manifest.json()).toMatchObject({ artifactType: 'application/x.sbom', subject: image.target });
  });

  itWith('podman', 'Podman pulls through it as a mirror in registries.conf', async () => {
    const podman = await podmanWith(`[[registry]]
prefix = "registry.example"
location = "registry.example"
[[registry.mirror]]
location = "${node.mirror}/registry.example"
insecure = true
`);
    const before = await node.metric('shoal_mirror_requests_total', { kind: 'blob' });
    await good('podman', [...podman, 'pull', '-q', `registry.example/${REPOSITORY}:v1`]);
    expect(await node.metric('shoal_mirror_requests_total', { kind: 'blob' })).toBeGreaterThan(before);
  });

  itWith('podman', 'Podman pulls what its own credentials may read', async () => {
    const podman = await podmanWith(`[[registry]]\nlocation = "${asking.mirror}"\ninsecure = true\n`);
    const reference = `${asking.mirror}/${REPOSITORY}:v1`;
    expect((await run('podman', [...podman, 'pull', '-q', reference])).exitCode).not.toBe(0);
    expect((await run('podman', [...podman, 'pull', '-q', '--creds', 'reader:wrong', reference])).exitCode).not.toBe(0);
    await good('podman', [...podman, 'pull', '-q', '--creds', USER, reference]);
  });

  /** Arguments of a Podman with a store of its own. */
  async function podmanWith(registries: string): Promise<string[]> {
    await mkdir(join(directory, '.config', 'containers'), { recursive: true });
    await writeFile(join(directory, '.config', 'containers', 'registries.conf'), registries);
    await writeFile(
      join(directory, '.config', 'containers', 'policy.json'),
      '{"default":[{"type":"insecureAcceptAnything"}]}',
    );
    const store = join(directory, 'podman');
    return ['--root', store, '--runroot', `${store}-run`, '--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs'];
  }
});
