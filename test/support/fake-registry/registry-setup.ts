/** A fake registry with one image in it, and a client that waits for nothing. */
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GeneratedImage, GenerateOptions } from '../../../cli/demo/generated-image.ts';
import type { Descriptor } from '../../../core/oci/descriptor.ts';
import type { CredentialSource } from '../../../core/registry/credentials.ts';
import {
  createRegistryClient,
  type HttpRegistryClient,
  type RegistryClientOptions,
} from '../../../core/registry/http-registry-client.ts';
import type { Repository, RequestKind } from '../../../core/registry/registry-client.ts';
import type { Clock } from '../../../core/runtime/clock.ts';
import { testImage } from '../test-image.ts';
import { FakeRegistry } from './fake-registry.ts';

export interface RegistrySetup extends AsyncDisposable {
  registry: FakeRegistry;
  client: HttpRegistryClient;
  repository: Repository;
  image: GeneratedImage;
  layer: Descriptor;
  layerBytes: Buffer;
  /** What the client told its observer. */
  seen: { requests: string[]; bytes: Record<RequestKind, number>; limits: unknown[] };
  /** The waits that the client's clock was asked for, milliseconds. */
  slept: number[];
  /** Downloads bytes of the layer. */
  download(range?: { offset?: number; end?: number; size?: number; signal?: AbortSignal }): Promise<Buffer>;
}

/** Never aborted. */
export const { signal: quiet } = new AbortController();

export interface SetupOptions {
  image?: GenerateOptions;
  client?: RegistryClientOptions;
  credentials?: CredentialSource;
  repository?: Partial<Repository>;
  scheme?: 'http' | 'https';
}

/** Everything at once; the image is at `team/app:latest`. */
export async function registrySetup(options: SetupOptions = {}): Promise<RegistrySetup> {
  const registry = await FakeRegistry.start({ scheme: options.scheme ?? 'http' });
  const image = await testImage({ layerCount: 1, layerSizeBytes: 300_000, ...options.image });
  registry.put('team/app', image);
  const seen: RegistrySetup['seen'] = { requests: [], bytes: { manifest: 0, blob: 0, list: 0, token: 0 }, limits: [] };
  const slept: number[] = [];
  const client = createRegistryClient(
    {
      clock: hurriedClock(slept),
      random: () => 0.5,
      ...(options.credentials ? { credentials: options.credentials } : {}),
    },
    {
      observer: {
        onRequest: ({ kind, method, status }) => seen.requests.push(`${kind} ${method} ${status}`),
        onBytes: ({ kind, bytes }) => {
          seen.bytes[kind] += bytes;
        },
        onRateLimit: (limit) => seen.limits.push(limit),
      },
      configuredOrigins: new Set([registry.storageUrl]),
      timeouts: { connectMs: 2_000, responseMs: 2_000, idleMs: 300 },
      ...options.client,
    },
  );
  const repository: Repository = {
    registry: { host: registry.host, url: registry.url, isConfigured: true },
    name: 'team/app',
    ...options.repository,
  };
  const [layer] = image.images[0]?.layers ?? [];
  if (layer === undefined) throw new Error('Image has no layer');
  return {
    ...{ registry, client, repository, image, layer, seen, slept },
    layerBytes: image.blobs.get(layer.digest) ?? Buffer.alloc(0),
    download: ({ size = layer.size, signal = quiet, ...range } = {}) =>
      buffer(client.blob(repository, { digest: layer.digest, size }, { signal, ...range })),
    async [Symbol.asyncDispose]() {
      client.close();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** A real clock whose sleeps are written down and last a millisecond. */
function hurriedClock(slept: number[]): Clock {
  return {
    now: () => Date.now(),
    monotonicMs: () => performance.now(),
    sleep: async (ms, options) => {
      slept.push(ms);
      await sleep(1, undefined, options?.signal === undefined ? {} : { signal: options.signal });
    },
  };
}
