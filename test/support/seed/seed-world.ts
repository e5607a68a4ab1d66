/** A node's seeding on a store in memory, and blobs that its one source has. */
import type { Descriptor, Platform } from '../../../core/oci/descriptor.ts';
import { type Digest, digestOf } from '../../../core/oci/digest.ts';
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../../core/oci/media-types.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import { silentLogger } from '../../../core/runtime/log.ts';
import { noMetrics } from '../../../core/runtime/metrics.ts';
import type { BlobSource } from '../../../plugin/content/blob-source.ts';
import { createContent } from '../../../plugin/content/create-content.ts';
import { createKnownBlobs } from '../../../plugin/content/create-known-blobs.ts';
import { ManualClock } from '../../../plugin/content/fakes/manual-clock.ts';
import type { CallerCredential } from '../../../plugin/content/origin.ts';
import { createMemoryStore } from '../../../plugin/store/memory-store.ts';
import { LocalSeeding } from '../../../plugin/seed/node/local-seeding.ts';
import type { NodeSeedingDeps } from '../../../plugin/seed/node/node-deps.ts';
import type { ImageRow, SeedImage, SeedOrder } from '../../../plugin/seed/seed.ts';

export const AMD64: Platform = { os: 'linux', architecture: 'amd64' };
const { signal } = new AbortController();

export class SeedWorld {
  readonly clock = new ManualClock();
  readonly store = createMemoryStore({ clock: this.clock });
  readonly blobs = new Map<Digest, Buffer>();
  /** Digests that the source does not give: the error that it says instead. */
  readonly refused = new Map<Digest, CodedError>();
  /** Digests whose bytes do not come before `open()`. */
  readonly held = new Set<Digest>();
  readonly asked: string[] = [];
  readonly lent: { digest: Digest; credential: CallerCredential }[] = [];
  freeBytes = 2 ** 40;
  readonly #gate = Promise.withResolvers<void>();

  /** What was held comes now. */
  open(): void {
    this.#gate.resolve();
  }

  image(name: string, layers: readonly string[]): SeedImage {
    const config = this.#put(OCI_CONFIG, `{"name":"${name}"}`);
    const made = layers.map((text) => this.#put(OCI_LAYER_GZIP, text));
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: made }));
    const manifest = { mediaType: OCI_MANIFEST, digest: digestOf(bytes), size: bytes.length, bytes };
    const source = { registry: 'registry.example', repository: name };
    const ref = `registry.example/${name}:1`;
    return { ref, digest: manifest.digest, source, manifests: [manifest], blobs: [config, ...made] };
  }

  order(images: readonly SeedImage[], more: Partial<SeedOrder> = {}): SeedOrder {
    const pin = { name: 'test', untilMs: this.clock.now() + 3_600_000 };
    return { id: 'order-1', pin, images, level: 'content', parallelBlobs: 4, deadlineMs: 600_000, ...more };
  }

  node(more: Partial<NodeSeedingDeps> = {}): LocalSeeding {
    const { clock, store } = this;
    const telemetry = { clock, log: silentLogger, metrics: noMetrics };
    const content = createContent({ store, sources: [this.#source()], ...telemetry });
    const manifest = async (source: { repository: string }, digest: Digest) => {
      this.asked.push(`manifest ${source.repository}`);
      const bytes = this.blobs.get(digest);
      if (bytes === undefined) throw new CodedError('NOT_FOUND', 'No such manifest');
      return { descriptor: { digest, size: bytes.length, mediaType: OCI_MANIFEST }, bytes };
    };
    return new LocalSeeding({
      ...{ store, content, known: createKnownBlobs(), ...telemetry },
      manifests: { manifest },
      origin: {
        manifest,
        blobSize: (_source, digest) => this.#sizeOf(digest),
        lend: (_source, digest, credential) => void this.lent.push({ digest, credential }),
      },
      platform: AMD64,
      mayHold: true,
      disk: { freeBytes: () => this.freeBytes, minFreeBytes: 1_000 },
      ...more,
    });
  }

  /** Carries an order out and gives its rows. */
  async rowsOf(node: LocalSeeding, order: SeedOrder): Promise<readonly ImageRow[]> {
    await node.begin(order);
    for (let tries = 0; tries < 200; tries += 1) {
      const watching = node.watch({ id: order.id, revision: 0, waitMs: 100 }, { signal });
      await this.clock.advance(100);
      const { rows, isDone } = await watching;
      if (isDone) return rows;
    }
    throw new Error('The order does not end');
  }

  async #sizeOf(digest: Digest): Promise<number> {
    const error = this.refused.get(digest);
    if (error !== undefined) throw error;
    return this.blobs.get(digest)?.length ?? 0;
  }

  #put(mediaType: string, text: string): Descriptor {
    const bytes = Buffer.from(text);
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  #source(): BlobSource {
    return {
      name: 'registry',
      prepare: () => undefined,
      route: () => 'yes',
      settled: async () => undefined,
      sentWrongBytes: () => undefined,
      fetch: async ({ digest }, sink, call) => {
        this.asked.push(digest);
        const error = this.refused.get(digest);
        if (error !== undefined) throw error;
        const left = new Promise<never>((_, reject) => {
          call.signal.addEventListener('abort', () => reject(call.signal.reason), { once: true });
        });
        left.catch(() => undefined);
        if (this.held.has(digest)) await Promise.race([this.#gate.promise, left]);
        await sink.write(0, this.blobs.get(digest) ?? Buffer.alloc(0));
      },
    };
  }
}
