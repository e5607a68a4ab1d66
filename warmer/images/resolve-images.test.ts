import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Descriptor, Platform } from '../../core/oci/descriptor.ts';
import { type Digest, digestOf } from '../../core/oci/digest.ts';
import { OCI_CONFIG, OCI_EMPTY, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../core/oci/media-types.ts';
import { createRegistryClient, type HttpRegistryClient } from '../../core/registry/http-registry-client.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { FakeRegistry } from '../../test/support/fake-registry/fake-registry.ts';
import { textDocuments } from '../sources/text-documents.ts';
import type { ImageUse } from '../sources/workload.ts';
import { blobsOf, type ImageResolver, type WantedImage } from './images.ts';
import { PullSecrets } from './pull-secrets.ts';
import { RegistryReserve } from './registry-reserve.ts';
import { createImageResolver } from './resolve-images.ts';

const { signal } = new AbortController();
const AMD64 = { os: 'linux', architecture: 'amd64' };
const ARM64 = { os: 'linux', architecture: 'arm64' };

/** Images written by hand: every blob by its digest. */
class HandMade {
  readonly blobs = new Map<Digest, Buffer>();
  readonly manifests = new Map<Digest, { mediaType: string; bytes: Buffer }>();

  blob(text: string, mediaType: string): Descriptor {
    const bytes = Buffer.from(text);
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  manifest(value: object, mediaType: string): Descriptor {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...value }));
    const digest = digestOf(bytes);
    this.manifests.set(digest, { mediaType, bytes });
    return { mediaType, digest, size: bytes.length };
  }

  image(platform: Platform, layer: string): Descriptor {
    const config = this.blob(JSON.stringify(platform), OCI_CONFIG);
    return this.manifest({ config, layers: [this.blob(layer, OCI_LAYER_GZIP)] }, OCI_MANIFEST);
  }

  index(manifests: readonly Descriptor[]): Descriptor {
    return this.manifest({ manifests }, OCI_INDEX);
  }
}

let registry: FakeRegistry;
let client: HttpRegistryClient;
let secrets: PullSecrets;
let resolver: ImageResolver;
let made: HandMade;

beforeEach(async () => {
  registry = await FakeRegistry.start();
  secrets = new PullSecrets();
  made = new HandMade();
  setUp({ reserve: 10 });
});

afterEach(async () => {
  client.close();
  await registry[Symbol.asyncDispose]();
});

function setUp({ reserve: count }: { reserve: number }): void {
  const reserve = new RegistryReserve(systemClock, { reserve: count });
  client = createRegistryClient({}, { attemptsMax: 1, observer: { onRateLimit: (limit) => reserve.saw(limit) } });
  const endpoints = [{ host: registry.host, url: registry.url, isConfigured: true }];
  resolver = createImageResolver({ client, secrets, reserve }, { endpoints, concurrency: 1 });
}

function serve(name: string, { digest }: Descriptor, ...tags: string[]): void {
  registry.put(name, { digest, manifests: made.manifests, blobs: made.blobs }, ...tags);
}

function use(line: number): ImageUse {
  const position = {
    file: 'web.yaml',
    document: 1,
    line,
    path: 'spec.image',
    rule: 'kind',
    role: 'container',
  } as const;
  return { ...position, image: 'x', reference: 'x', kind: 'Pod', namespace: 'shop', name: 'web' };
}

function want(name: string, platforms: WantedImage['platforms'] = [AMD64]): WantedImage {
  const identities = [{ namespace: 'shop', imagePullSecrets: ['pull'], serviceAccountName: 'default' }];
  return { reference: `${registry.host}/${name}`, platforms, uses: [use(7)], identities };
}

const requests = (): string[] =>
  registry.log.lines().map((line) => line.replace(/sha256:[0-9a-f]+/, 'DIGEST').replace('/v2/', ''));

describe('createImageResolver()', () => {
  it('takes the wanted platforms of an index, its config and layers, and leaves attestations out', async () => {
    const [amd64, arm64] = [made.image(AMD64, 'layer a'), made.image(ARM64, 'layer b')];
    const attestation = {
      ...made.image({ os: 'unknown', architecture: 'unknown' }, 'in-toto'),
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    };
    const index = made.index([{ ...amd64, platform: AMD64 }, { ...arm64, platform: ARM64 }, attestation]);
    serve('team/app', index, '1');
    const one = await resolver.resolve([want('team/app:1')], { signal });
    expect(one.failed).toEqual([]);
    expect(one.images).toEqual([
      expect.objectContaining({
        digest: index.digest,
        indexes: [index],
        missingPlatforms: [],
        isArtifact: false,
        variants: [expect.objectContaining({ platform: AMD64, manifest: expect.objectContaining(amd64) })],
      }),
    ]);
    const [all] = (await resolver.resolve([want('team/app:1', [])], { signal })).images;
    expect(all?.variants.map(({ platform }) => platform?.architecture)).toEqual(['amd64', 'arm64']);
    expect(all === undefined ? 0 : blobsOf(all).length).toBe(1 + 2 * 3);
  });

  it('asks by HEAD, fetches each manifest once for everybody, and none again while nothing changed', async () => {
    serve('team/app', made.index([{ ...made.image(AMD64, 'layer'), platform: AMD64 }]), '1', '2');
    await resolver.resolve([want('team/app:1'), want('team/app:1', [AMD64]), want('team/app:2')], { signal });
    expect(requests()).toEqual([
      'HEAD team/app/manifests/1 200',
      'GET team/app/manifests/DIGEST 200',
      'GET team/app/manifests/DIGEST 200',
      'HEAD team/app/manifests/2 200',
    ]);
    const again = await resolver.resolve([want('team/app:1')], { signal });
    expect(again.images).toHaveLength(1);
    expect(requests().slice(4)).toEqual(['HEAD team/app/manifests/1 200']);
  });

  it('says which platforms an image lacks, and fails when it has none of them', async () => {
    serve('single', made.image(AMD64, 'layer'), '1');
    const { images } = await resolver.resolve([want('single:1', [AMD64, ARM64])], { signal });
    expect(images[0]).toMatchObject({ missingPlatforms: [ARM64], variants: [{ platform: AMD64 }], indexes: [] });
    const { failed } = await resolver.resolve([want('single:1', [ARM64])], { signal });
    expect(failed).toEqual([
      expect.objectContaining({
        code: 'NOT_FOUND',
        reason: 'The image has nothing for linux/arm64; it has linux/amd64',
      }),
    ]);
  });

  it('takes artifacts as they are, whatever the platform, and leaves foreign layers to their makers', async () => {
    const config = made.blob('{}', OCI_EMPTY);
    const foreign = {
      ...made.blob('foreign', 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'),
      urls: ['https://x'],
    };
    const layers = [made.blob('weights', 'application/vnd.example.model'), foreign];
    serve('models/llm', made.manifest({ artifactType: 'application/vnd.example', config, layers }, OCI_MANIFEST), '8b');
    const { images } = await resolver.resolve([want('models/llm:8b')], { signal });
    expect(images[0]).toMatchObject({ isArtifact: true, missingPlatforms: [] });
    expect(images[0]?.variants[0]?.layers).toEqual([layers[0]]);
    expect(images[0]?.variants[0]?.foreignLayers).toHaveLength(1);
  });

  it('reports an image that does not exist, or is no name, with its file and line, and goes on', async () => {
    serve('team/app', made.image(AMD64, 'layer'), '1');
    const { images, failed } = await resolver.resolve([want('gone:1'), want('Team/App:1'), want('team/app:1')], {
      signal,
    });
    expect(images).toHaveLength(1);
    expect(
      failed.map(({ code, isRetriable, uses }) => [code, isRetriable, uses[0]?.file, uses[0]?.line]).sort(),
    ).toEqual([
      ['INVALID_ARGUMENT', false, 'web.yaml', 7],
      ['NOT_FOUND', false, 'web.yaml', 7],
    ]);
  });

  it("pulls with the pods' own secret, for its registry alone", async () => {
    serve('team/app', made.image(AMD64, 'layer'), '1');
    registry.faults = { auth: { kind: 'bearer', users: { shop: 's3cret' } } };
    expect((await resolver.resolve([want('team/app:1')], { signal })).failed[0]?.code).toBe('UNAUTHENTICATED');
    addSecret({ 'elsewhere.example': 'stranger', [registry.host]: 'shop' });
    registry.log.entries.length = 0;
    const { images, failed } = await resolver.resolve([want('team/app:1')], { signal });
    expect(failed).toEqual([]);
    const [image] = images;
    if (image === undefined) throw new Error('unreachable');
    expect((await resolver.pullToken(image, { signal }))?.token).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.stringify(images)).not.toContain('s3cret');
    const sent = registry.log.entries.map(({ authorization }) => authorization ?? '').join();
    expect(sent).not.toContain(Buffer.from('stranger:s3cret').toString('base64'));
  });

  it('keeps the reserve below what the registry says is left', async () => {
    for (const name of ['a', 'b', 'c']) serve(name, made.image(AMD64, `layer ${name}`), '1');
    registry.faults = { headers: { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '12;w=21600' } };
    const some = await resolver.resolve([want('a:1')], { signal });
    expect(some.images).toHaveLength(1);
    registry.faults = { headers: { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '10;w=21600' } };
    const none = await resolver.resolve([want('b:1'), want('c:1')], { signal });
    expect(none.failed.map(({ code, isRetriable }) => [code, isRetriable])).toEqual([
      ['RESOURCE_EXHAUSTED', true],
      ['RESOURCE_EXHAUSTED', true],
    ]);
    expect(requests().filter((line) => /^GET [bc]\/manifests/.test(line))).toEqual([]);
  });

  it('leaves a registry alone that has had enough, or does not answer', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) serve(name, made.image(AMD64, `layer ${name}`), '1');
    const all = ['a', 'b', 'c', 'd', 'e'].map((name) => want(`${name}:1`));
    registry.faults = { refuse: { status: 429, times: 100 } };
    expect((await resolver.resolve(all, { signal })).failed.map(({ isRetriable }) => isRetriable)).toEqual(
      Array(5).fill(true),
    );
    expect(requests()).toHaveLength(1);
    registry.faults = {};
    registry.log.entries.length = 0;
    await registry.down();
    const { failed } = await resolver.resolve(all, { signal });
    expect(failed.filter(({ reason }) => /is not asked any more/.test(reason))).toHaveLength(2);
    await registry.up();
    expect((await resolver.resolve(all, { signal })).images).toHaveLength(5);
  });

  it('asks no registry that is not allowed', async () => {
    resolver = createImageResolver(
      { client, secrets, reserve: new RegistryReserve(systemClock, { reserve: 0 }) },
      { allow: ['docker.io'] },
    );
    const { failed } = await resolver.resolve([want('team/app:1')], { signal });
    expect([failed[0]?.code, requests()]).toEqual(['PERMISSION_DENIED', []]);
  });

  it('ends when it is told to', async () => {
    serve('team/app', made.image(AMD64, 'layer'), '1');
    await expect(
      resolver.resolve([want('team/app:1')], { signal: AbortSignal.abort(new Error('enough')) }),
    ).rejects.toThrow('enough');
  });
});

function addSecret(users: Readonly<Record<string, string>>): void {
  const auths = Object.entries(users).map(([host, user]) => [host, { username: user, password: 's3cret' }]);
  const config = JSON.stringify({ auths: Object.fromEntries(auths) });
  const text = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'pull', namespace: 'shop' },
    type: 'kubernetes.io/dockerconfigjson',
    stringData: { '.dockerconfigjson': config },
  });
  for (const item of textDocuments(text, 's.json')) if (item.kind === 'document') secrets.add(item.document);
}
