import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type TarFile, writeTar } from './tar-writer.ts';
import type { Descriptor } from '../../core/oci/descriptor.ts';
import { digestOf, parseDigest } from '../../core/oci/digest.ts';
import { formatReference, parseReference } from '../../core/oci/reference.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import { noMetrics } from '../../core/runtime/metrics.ts';
import { createContent } from '../content/create-content.ts';
import { createKnownBlobs } from '../content/create-known-blobs.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import type { Store } from '../store/store.ts';
import type { ImportOptions, ImportStep } from './archive.ts';
import { createExport } from './export-archive.ts';
import { createImport } from './import-archive.ts';

const signal = new AbortController().signal;
const LAYER = Buffer.from('layer bytes '.repeat(10_000));
const CONFIG = json({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [digestOf(LAYER)] } });
const OCI = 'application/vnd.oci.image';
const MANIFEST = json({
  schemaVersion: 2,
  mediaType: `${OCI}.manifest.v1+json`,
  config: { mediaType: `${OCI}.config.v1+json`, digest: digestOf(CONFIG), size: CONFIG.length },
  layers: [{ mediaType: `${OCI}.layer.v1.tar`, digest: digestOf(LAYER), size: LAYER.length }],
});
const NAME = 'registry.example/team/app:1';

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function file(name: string, bytes: Buffer): TarFile {
  return { name, size: bytes.length, content: [bytes] };
}

function blob(bytes: Buffer, name = digestOf(bytes)): TarFile {
  return file(`blobs/sha256/${name.slice(7)}`, bytes);
}

function index(annotations: object, manifest = MANIFEST): TarFile {
  const descriptor = {
    mediaType: `${OCI}.manifest.v1+json`,
    digest: digestOf(manifest),
    size: manifest.length,
    annotations,
  };
  return file('index.json', json({ schemaVersion: 2, manifests: [descriptor] }));
}

const NAMED = index({ 'io.containerd.image.name': NAME });
const LAYOUT = [file('oci-layout', json({ imageLayoutVersion: '1.0.0' })), blob(LAYER), blob(CONFIG), blob(MANIFEST)];
const V1 = 'f'.repeat(64);
const DOCKER = [
  file(`${V1}/VERSION`, Buffer.from('1.0')),
  file(`${V1}/layer.tar`, LAYER),
  file(`${digestOf(CONFIG).slice(7)}.json`, CONFIG),
  file(
    'manifest.json',
    json([{ Config: `${digestOf(CONFIG).slice(7)}.json`, RepoTags: ['app:2'], Layers: [`${V1}/layer.tar`] }]),
  ),
];

async function packed(files: readonly TarFile[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of writeTar(files)) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

async function* inParts(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 5000) yield bytes.subarray(at, at + 5000);
}

let store: Store;
let named: [string, Descriptor][];
const known = createKnownBlobs();

beforeEach(async () => {
  store = createMemoryStore();
  await store.start({ signal });
  named = [];
});

async function importOf(archive: Buffer, options: Partial<ImportOptions> = {}): Promise<ImportStep[]> {
  const read = createImport({
    store,
    known,
    clock: systemClock,
    named: (reference, descriptor) => void named.push([formatReference(reference), descriptor]),
  });
  return Array.fromAsync(read(inParts(archive), { signal, ...options }));
}

function kept(): string[] {
  return [...store.list('cache')].map(({ digest }) => digest).sort();
}

describe('import', () => {
  const plain = (bytes: Buffer) => bytes;
  it.each([
    ['plain', plain],
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('takes an OCI layout, %s', async (_how, pack) => {
    const steps = await importOf(pack(await packed([...LAYOUT, NAMED])));
    expect(kept()).toEqual([LAYER, CONFIG, MANIFEST].map((bytes) => digestOf(bytes)).sort());
    expect(steps.filter(({ kind }) => kind === 'blob')).toHaveLength(3);
    expect(steps.at(-1)).toMatchObject({
      kind: 'image',
      names: [NAME],
      blobs: 3,
      bytes: LAYER.length + CONFIG.length + MANIFEST.length,
    });
    expect(named).toEqual([[NAME, expect.objectContaining({ digest: digestOf(MANIFEST), size: MANIFEST.length })]]);
    expect(known.sources(digestOf(LAYER))).toContainEqual({ registry: 'registry.example', repository: 'team/app' });
    expect([...store.list('containerd')]).toEqual([]);
  });

  it('takes what older dockers save: it makes the manifest that they have not', async () => {
    const steps = await importOf(await packed(DOCKER));
    const [, descriptor] = named[0] ?? [];
    expect(named[0]?.[0]).toBe('docker.io/library/app:2');
    expect(kept()).toEqual([digestOf(LAYER), digestOf(CONFIG), descriptor?.digest].sort());
    expect(steps.at(-1)).toMatchObject({ kind: 'image', blobs: 3 });
    expect(await store.ingestStatuses()).toEqual([]);
    const bytes = Buffer.alloc(descriptor?.size ?? 0);
    const open = await store.open(parseDigest(descriptor?.digest ?? ''));
    await open.read(bytes, 0);
    await open.close();
    expect(JSON.parse(bytes.toString())).toMatchObject({
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      layers: [
        { mediaType: 'application/vnd.docker.image.rootfs.diff.tar', digest: digestOf(LAYER), size: LAYER.length },
      ],
    });
  });

  it("takes names from docker's file where the index of a newer docker has none", async () => {
    const docker = [
      {
        Config: `blobs/sha256/${digestOf(CONFIG).slice(7)}`,
        RepoTags: ['app:3'],
        Layers: [`blobs/sha256/${digestOf(LAYER).slice(7)}`],
      },
    ];
    const steps = await importOf(await packed([...LAYOUT, index({}), file('manifest.json', json(docker))]));
    expect(steps.at(-1)).toMatchObject({
      names: ['docker.io/library/app:3'],
      descriptor: { digest: digestOf(MANIFEST) },
    });
  });

  it('names a nameless image, and pins it when told', async () => {
    const untilMs = Date.now() + 60_000;
    const steps = await importOf(await packed([...LAYOUT, index({ 'org.opencontainers.image.ref.name': '1' })]), {
      name: parseReference('other.example/x:y'),
      pinUntilMs: untilMs,
    });
    expect(steps.at(-1)).toMatchObject({ names: ['other.example/x:y'] });
    expect([...store.pins()]).toMatchObject([{ untilMs, digests: expect.arrayContaining([digestOf(LAYER)]) }]);
    await expect(importOf(await packed([...LAYOUT, index({})]))).resolves.toContainEqual(
      expect.objectContaining({ names: [] }),
    );
  });

  it('keeps what is here already', async () => {
    await importOf(await packed([...LAYOUT, NAMED]));
    const again = await importOf(await packed([...LAYOUT, NAMED]));
    expect(again.filter((step) => step.kind === 'blob' && step.isNew)).toEqual([]);
  });

  const wrongLayer = Buffer.concat([LAYER.subarray(1), Buffer.from('x')]);
  it.each<[string, () => readonly TarFile[], RegExp]>([
    [
      'a blob that is not its digest',
      () => [blob(wrongLayer, digestOf(LAYER)), ...LAYOUT.slice(2), NAMED],
      /^"blobs\/sha256\/\w+" \(entry at offset 0\): .*digest/,
    ],
    [
      'an image without a layer',
      () => [LAYOUT[2], LAYOUT[3], NAMED].flatMap((one) => one ?? []),
      /is not whole: the archive lacks sha256:/,
    ],
    ['an index without its manifest', () => [...LAYOUT.slice(0, 3), NAMED], /is not whole: the archive lacks sha256:/],
    [
      'an archive of something else',
      () => [file('README', Buffer.from('hi'))],
      /neither "index.json" .* nor "manifest.json"/,
    ],
    [
      'a layer that is not what its config says',
      () => [file(`${V1}/layer.tar`, wrongLayer), ...DOCKER.slice(2)],
      /layer\.tar" is "sha256:\w+", and ".*" says "sha256:/,
    ],
    [
      'a config that is not its name',
      () => [file(`${'0'.repeat(64)}.json`, CONFIG)],
      /^"0{64}\.json" \(entry at offset 0\): Its bytes are/,
    ],
    ['a missing layer file', () => DOCKER.slice(2), /^Archive lacks "f+\/layer\.tar", which "manifest\.json" names/],
    ['a manifest.json that is none', () => [file('manifest.json', Buffer.from('[{'))], /"manifest.json" is not JSON/],
    ['another digest algorithm', () => [file(`blobs/sha512/${'a'.repeat(128)}`, CONFIG)], /kept by sha256 only/],
  ])('refuses %s', async (_what, files, message) => {
    await expect(importOf(await packed(files()))).rejects.toThrow(message);
    expect(named).toEqual([]);
    expect(await store.ingestStatuses()).toEqual([]);
  });

  it('names the entry in which an archive is cut off', async () => {
    const archive = await packed([...LAYOUT, NAMED]);
    await expect(importOf(archive.subarray(0, 20_000))).rejects.toMatchObject({
      code: 'DATA_LOSS',
      message: expect.stringMatching(
        /^Archive ends inside "blobs\/sha256\/\w+" \(entry at offset 1024\): 18464 of 120000 bytes/,
      ),
    });
  });

  it('says that the disk is full, where', async () => {
    store.openPartial = async () => {
      throw new CodedError('RESOURCE_EXHAUSTED', 'No room');
    };
    await expect(importOf(await packed(LAYOUT))).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: expect.stringMatching(/^"blobs\/sha256\/\w+" \(entry at offset 1024\): No room/),
    });
  });
});

describe('export', () => {
  async function exported(): Promise<Buffer> {
    const content = createContent({ store, sources: [], clock: systemClock, log: silentLogger, metrics: noMetrics });
    await content.start({ signal });
    const descriptor = { digest: digestOf(MANIFEST), mediaType: `${OCI}.manifest.v1+json`, size: MANIFEST.length };
    const nowhere = async () => {
      throw new CodedError('UNAVAILABLE', 'No registry');
    };
    const write = createExport({
      store,
      content,
      known,
      reader: content,
      clock: systemClock,
      manifests: { resolve: async () => descriptor, manifest: nowhere },
      platform: { os: 'linux', architecture: 'amd64' },
    });
    const parts: Buffer[] = [];
    for await (const part of write({ reference: parseReference(NAME), platform: undefined }, { signal }))
      parts.push(Buffer.from(part));
    return Buffer.concat(parts);
  }

  it('writes what import reads, the same image by the same name', async () => {
    await importOf(await packed([...LAYOUT, NAMED]));
    const archive = await exported();
    expect(createHash('sha256').update(archive).digest('hex')).toBe(
      createHash('sha256')
        .update(await exported())
        .digest('hex'),
    );
    store = createMemoryStore();
    await store.start({ signal });
    named = [];
    await importOf(archive);
    expect(named).toEqual([[NAME, expect.objectContaining({ digest: digestOf(MANIFEST) })]]);
    expect(kept()).toEqual([LAYER, CONFIG, MANIFEST].map((bytes) => digestOf(bytes)).sort());
  });
});
