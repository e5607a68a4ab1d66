/** A mirror over a heart in memory and a fake registry, docker.io as well, with one image in it, `team/app:latest`. */
import { connect } from 'node:net';
import type { GeneratedImage, GenerateOptions } from '../../../cli/demo/generated-image.ts';
import type { Descriptor } from '../../../core/oci/descriptor.ts';
import type { CredentialSource } from '../../../core/registry/credentials.ts';
import { createRegistryClient } from '../../../core/registry/http-registry-client.ts';
import { systemClock } from '../../../core/runtime/clock.ts';
import { silentLogger } from '../../../core/runtime/log.ts';
import { type ScrapableMetrics, createMetrics, noMetrics } from '../../../core/runtime/metrics.ts';
import type { BlobSource } from '../../../plugin/content/blob-source.ts';
import type { Content } from '../../../plugin/content/content.ts';
import { createContent } from '../../../plugin/content/create-content.ts';
import { createKeptManifests } from '../../../plugin/content/create-kept-manifests.ts';
import { createKnownBlobs } from '../../../plugin/content/create-known-blobs.ts';
import type { KnownBlobs } from '../../../plugin/content/known-blobs.ts';
import { createMirror } from '../../../plugin/mirror/create-mirror.ts';
import type { Mirror, MirrorDeps, MirrorOptions, TagMemory, TagName } from '../../../plugin/mirror/mirror.ts';
import { createMemoryStore } from '../../../plugin/store/memory-store.ts';
import type { Store } from '../../../plugin/store/store.ts';
import { createUpstream } from '../../../plugin/upstream/create-upstream.ts';
import type { UpstreamOptions } from '../../../plugin/upstream/upstream.ts';
import { FakeRegistry } from '../fake-registry/fake-registry.ts';
import { sumOfMetric } from '../node/metrics-text.ts';
import { testImage } from '../test-image.ts';

export interface MirrorSetupOptions {
  image?: GenerateOptions;
  mirror?: Partial<MirrorOptions>;
  deps?: Partial<MirrorDeps>;
  credentials?: CredentialSource;
  upstream?: Partial<UpstreamOptions>;
  /** Asked before the registry: another node. */
  other?: (image: GeneratedImage) => BlobSource;
}

export interface MirrorSetup extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly image: GeneratedImage;
  readonly layer: Descriptor;
  readonly layerBytes: Buffer;
  readonly store: Store;
  readonly content: Content;
  readonly known: KnownBlobs;
  readonly tags: TagMemory;
  readonly mirror: Mirror;
  readonly metrics: ScrapableMetrics;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Asks the mirror for a path, `?ns=` of the registry added unless the path has a query. */
  get(path: string, init?: RequestInit): Promise<Response>;
  /** Sends bytes as they are and resolves with all that comes back until the connection ends. */
  raw(bytes: string | Buffer): Promise<string>;
  metric(name: string, labels?: Record<string, string>): Promise<number>;
}

export function tagMemory(): TagMemory {
  const known = new Map<string, Descriptor>();
  const keyOf = ({ registry, repository, tag }: TagName) => `${registry}/${repository}:${tag}`;
  return {
    last: async (name) => {
      const descriptor = known.get(keyOf(name));
      return descriptor && { descriptor, ageMs: 0 };
    },
    remember: (name, descriptor) => void known.set(keyOf(name), descriptor),
  };
}

export async function mirrorSetup(options: MirrorSetupOptions = {}): Promise<MirrorSetup> {
  const registry = await FakeRegistry.start();
  const image = await testImage({ layerCount: 2, layerSizeBytes: 300_000, ...options.image });
  registry.put('team/app', image);
  const { signal } = new AbortController();
  const credentials = options.credentials;
  const client = createRegistryClient(credentials ? { credentials } : {}, {
    timeouts: { connectMs: 2_000, responseMs: 2_000, idleMs: 2_000 },
    backoff: { baseMs: 1, capMs: 2 },
  });
  const upstream = createUpstream(
    { client, clock: systemClock, log: silentLogger, ...(credentials && { credentials }) },
    {
      endpoints: ['docker.io', registry.host].map((host) => ({ host, url: registry.url, isConfigured: true })),
      ...options.upstream,
    },
  );
  const store = createMemoryStore();
  const known = createKnownBlobs();
  const clock = systemClock;
  const sources = [...(options.other ? [options.other(image)] : []), upstream];
  const content = createContent({ store, sources, clock, log: silentLogger, metrics: noMetrics });
  const manifests = createKeptManifests({ store, known, content, clock });
  const metrics = createMetrics({ process: false });
  const tags = options.deps?.tags ?? tagMemory();
  const mirror = createMirror(
    { content, manifests, known, origin: upstream.origin, clock, log: silentLogger, metrics, tags, ...options.deps },
    { listen: { host: '127.0.0.1', port: 0 }, ...options.mirror },
  );
  for (const service of [store, upstream, content, mirror]) await service.start({ signal });
  const [layer] = image.images[0]?.layers ?? [];
  if (layer === undefined) throw new Error('Image has no layer');
  const url = `http://${mirror.address()}`;
  return {
    ...{ registry, image, layer, store, content, known, tags, mirror, metrics, url },
    layerBytes: image.blobs.get(layer.digest) ?? Buffer.alloc(0),
    get: (path, init) => fetch(`${url}${path}${path.includes('?') ? '' : `?ns=${registry.host}`}`, init),
    raw: (bytes) => exchange(new URL(url), bytes),
    metric: async (name, labels = {}) => sumOfMetric((await metrics.scrape()).text, name, labels),
    async [Symbol.asyncDispose]() {
      for (const service of [mirror, content, upstream, store]) await service.stop();
      client.close();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** Longer than any answer to a bad request takes, milliseconds. */
const RAW_MS = 20_000;

async function exchange({ hostname, port }: URL, bytes: string | Buffer): Promise<string> {
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  const timer = setTimeout(() => socket.destroy(), RAW_MS);
  socket.write(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
  clearTimeout(timer);
  return Buffer.concat(chunks).toString('latin1');
}
