/** A content server in this process, with a client: store, heart without sources, no claims but `some-claims.ts`. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../core/runtime/clock.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import { noMetrics } from '../../core/runtime/metrics.ts';
import { type ContentServerOptions, createContentServer } from '../../plugin/content-api/server.ts';
import { createContent } from '../../plugin/content/create-content.ts';
import type { Content } from '../../plugin/content/content.ts';
import { createDiskStore } from '../../plugin/store/disk-store.ts';
import { createMemoryStore } from '../../plugin/store/memory-store.ts';
import type { Store, StoreLimits } from '../../plugin/store/store.ts';
import { ContentClient } from './content-client.ts';
import { claimDigests } from './some-claims.ts';

export type Transport = 'grpc-js' | 'direct';
export const TRANSPORTS: readonly Transport[] = ['grpc-js', 'direct'];

export interface ContentNode {
  readonly store: Store;
  readonly content: Content;
  readonly client: ContentClient;
  readonly socket: string;
  stop(): Promise<void>;
}

export interface ContentNodeOptions {
  readonly transport: Transport;
  readonly kind?: 'disk' | 'memory';
  /** Bytes that the cache may keep of what containerd deletes; 0 makes Delete final. */
  readonly cacheBytes?: number;
  readonly server?: Partial<ContentServerOptions>;
  /** Below which directory its own is made. Default: the one for temporary files. */
  readonly parent?: string;
}

/** A file system in memory where there is one: for what makes tens of thousands of files, and is not about the disk. */
export const MEMORY_DIRECTORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export async function startContentNode(options: ContentNodeOptions): Promise<ContentNode> {
  const directory = mkdtempSync(join(options.parent ?? tmpdir(), 'shoal-content-'));
  const socket = join(directory, 'content.sock');
  const capacityBytes = options.cacheBytes ?? 2 ** 40;
  const limits: StoreLimits = { capacityBytes, highWatermark: 0.9, lowWatermark: 0.7, minFreeBytes: 0 };
  const common = { clock: systemClock, log: silentLogger, metrics: noMetrics };
  const root = join(directory, 'store');
  const store =
    options.kind === 'memory' ? createMemoryStore({ limits }) : createDiskStore({ root, limits, ...common });
  const content = createContent({ store, sources: [], ...common });
  const deps = { store, content, claims: claimDigests(), log: silentLogger };
  const server = createContentServer(deps, { socket, transport: options.transport, ...options.server });
  const services = [store, content, server];
  const { signal } = new AbortController();
  for (const service of services) await service.start({ signal });
  const client = new ContentClient(socket);
  return {
    store,
    content,
    client,
    socket,
    async stop() {
      client.close();
      for (const service of services.toReversed()) await service.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
