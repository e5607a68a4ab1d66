import { describe, expect, it } from '@jest/globals';
import type { Descriptor } from '../../core/oci/descriptor.ts';
import { digestOf } from '../../core/oci/digest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../core/oci/media-types.ts';
import { parsePlatform } from '../../core/oci/platform.ts';
import { parseReference } from '../../core/oci/reference.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import { noMetrics } from '../../core/runtime/metrics.ts';
import { ManualClock } from './fakes/manual-clock.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import type { BlobSource } from './blob-source.ts';
import { createContent } from './create-content.ts';
import { createKnownBlobs } from './create-known-blobs.ts';
import { type PullEvent, pullImage } from './image-pull.ts';
import type { Manifests } from './manifests.ts';

const FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
const reference = parseReference('registry.example/team/app:1');
const blobs = new Map<string, Buffer>();

function put(mediaType: string, content: string | object, more: Partial<Descriptor> = {}): Descriptor {
  const bytes = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  const digest = digestOf(bytes);
  blobs.set(digest, bytes);
  return { mediaType, digest, size: bytes.length, ...more };
}

const config = put(OCI_CONFIG, '{"os":"linux","architecture":"amd64"}');
const layers = [put(OCI_LAYER_GZIP, 'one'), put(OCI_LAYER_GZIP, 'two'), put(OCI_LAYER_GZIP, 'one')];
const foreign = put(FOREIGN, 'far away');
const manifest = put(OCI_MANIFEST, { schemaVersion: 2, config, layers: [...layers, foreign] });
const index = put(OCI_INDEX, {
  schemaVersion: 2,
  mediaType: OCI_INDEX,
  manifests: [{ ...manifest, platform: { os: 'linux', architecture: 'amd64' } }],
});

const manifests: Manifests = {
  resolve: async () => index,
  manifest: async (_, digest) => {
    const bytes = blobs.get(digest);
    if (bytes === undefined) throw new CodedError('NOT_FOUND', 'No such manifest');
    return { descriptor: digest === index.digest ? index : manifest, bytes };
  },
};

function sourceWithout(missing?: string): BlobSource {
  return {
    name: 'registry',
    prepare: () => undefined,
    route: () => 'yes',
    settled: async () => undefined,
    sentWrongBytes: () => undefined,
    fetch: async (want, sink) => {
      const bytes = blobs.get(want.digest);
      expect(want.sources).toEqual([{ registry: 'registry.example', repository: 'team/app' }]);
      if (bytes === undefined || want.digest === missing) throw new CodedError('NOT_FOUND', 'No such blob');
      await sink.write(0, bytes);
    },
  };
}

function setUp(missing?: string) {
  const clock = new ManualClock();
  const store = createMemoryStore({ clock });
  const deps = { store, sources: [sourceWithout(missing)], clock, log: silentLogger, metrics: noMetrics };
  const content = createContent(deps);
  const known = createKnownBlobs();
  const pull = (platform = 'linux/amd64', signal = new AbortController().signal) =>
    Array.fromAsync(
      pullImage({ store, content, known, manifests, clock }, reference, { platform: parsePlatform(platform), signal }),
    );
  return { store, known, pull, content };
}

const ended = (events: readonly PullEvent[], state: string) =>
  events.filter((event) => event.state === state).map(({ digest }) => digest);

describe('pullImage()', () => {
  it('keeps index, manifest, config and layers, and skips foreign layers', async () => {
    const { store, known, pull } = setUp();
    const events = await pull();
    const wanted = [index, manifest, config, ...layers].map(({ digest }) => digest);
    expect(new Set(ended(events, 'done'))).toEqual(new Set(wanted));
    expect(ended(events, 'skipped')).toEqual([foreign.digest]);
    expect(new Set([...store.list('cache')].map(({ digest }) => digest))).toEqual(new Set(wanted));
    expect(known.sources(config.digest)).toEqual([{ registry: 'registry.example', repository: 'team/app' }]);
  });

  it('asks nobody for what is here', async () => {
    const { pull, store } = setUp();
    await pull();
    const again = await Promise.all([pull(), pull()]);
    expect(ended(again[0], 'done')).toHaveLength(5);
    expect([...store.partials()]).toEqual([]);
  });

  it('says so when nothing is for the platform', async () => {
    await expect(setUp().pull('linux/s390x')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'Image "registry.example/team/app:1" has nothing for linux/s390x; it has linux/amd64',
    });
  });

  it('believes the config of an image that no index describes', async () => {
    const { store, content } = setUp();
    const single: Manifests = { ...manifests, resolve: async () => manifest };
    const deps = { store, content, known: createKnownBlobs(), manifests: single, clock: new ManualClock() };
    const pull = (platform: string) => {
      const options = { platform: parsePlatform(platform), signal: new AbortController().signal };
      return Array.fromAsync(pullImage(deps, reference, options));
    };
    await expect(pull('linux/arm64')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('it has linux/amd64'),
    });
    expect(layers.filter(({ digest }) => store.stat(digest) !== undefined)).toEqual([]);
    expect(ended(await pull('linux/amd64'), 'done')).toHaveLength(4);
  });

  it('fails with the blob that cannot be had, and brings the others', async () => {
    const { pull, content, store } = setUp(config.digest);
    await expect(pull()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect([...content.flights()]).toEqual([]);
    expect(layers.map(({ digest }) => store.stat(digest) !== undefined)).toEqual([true, true, true]);
  });

  it('stores nothing when a manifest’s bytes are others than its digest’s', async () => {
    const { store } = setUp();
    const liar: Manifests = { ...manifests, manifest: async () => ({ descriptor: index, bytes: Buffer.from('{}') }) };
    const clock = new ManualClock();
    const content = createContent({ store, sources: [], clock, log: silentLogger, metrics: noMetrics });
    const deps = { store, content, known: createKnownBlobs(), manifests: liar, clock };
    const options = { platform: parsePlatform('linux/amd64'), signal: new AbortController().signal };
    await expect(Array.fromAsync(pullImage(deps, reference, options))).rejects.toMatchObject({ code: 'DATA_LOSS' });
    expect([...store.list()]).toEqual([]);
  });
});
