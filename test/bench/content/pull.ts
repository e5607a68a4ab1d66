/**
 * Whole pulls through containerd 2.1 with every blob already on the node: through its built-in store (which fetches from a
 * registry on loopback), through another containerd's content service behind the same proxy setting, and through ours.
 * Each pull begins with an empty containerd, so that it unpacks everything; rounds are interleaved.
 */
import type { GeneratedImage } from '../../../cli/demo/generated-image.ts';
import { systemClock } from '../../../core/runtime/clock.ts';
import { type ContainerdProcess, startContainerd } from '../../support/containerd/containerd-process.ts';
import { type DockerRegistry, startDockerRegistry } from '../../support/docker-registry/docker-registry.ts';
import { pushImage } from '../../support/docker-registry/push.ts';
import { layeredImage, pushable } from '../../support/node/layered-image.ts';
import { median } from './median.ts';
import { startServer } from './servers.ts';

export interface PullOptions {
  readonly client: string;
  readonly directory: string;
  readonly rounds: number;
  readonly layers: number;
  readonly layerBytes: number;
}

export const PULL_STORES = ['built-in', 'proxy to containerd', 'ours direct', 'ours grpc-js'] as const;
type PullStore = (typeof PULL_STORES)[number];

export interface PullReport {
  readonly bytes: number;
  readonly seconds: Record<PullStore, readonly number[]>;
  readonly medians: Record<PullStore, number>;
  /** The goal: at most 0.75. */
  readonly direct_to_proxy: number;
  readonly grpc_js_to_proxy: number;
  readonly direct_to_built_in: number;
}

/** containerd collects garbage soon after its start; what it deletes then must be gone before the clock runs. */
const SETTLE_MS = 1500;

/** Makes every blob present behind the socket, after containerd's first garbage collection. */
type Prepare = () => Promise<void>;

interface Store {
  readonly name: PullStore;
  readonly socket: string | undefined;
  readonly prepare: Prepare;
}

export async function benchPulls(options: PullOptions): Promise<PullReport> {
  const { layers, layerBytes } = options;
  const image = await layeredImage('bench', { layerCount: layers, layerSizeBytes: layerBytes });
  await using registry = await startDockerRegistry();
  await pushImage(registry.target('bench/image'), pushable(image));
  await using other = await startContainerd({ version: '2.1' });
  const direct = await startServer('direct', options);
  const grpcJs = await startServer('grpc-js', options);
  const reference = `${registry.host}/bench/image:v1`;
  const fetchAgain = async () => void (await other.ctr(['content', 'fetch', '--plain-http', reference]));
  const stores: Store[] = [
    { name: 'built-in', socket: undefined, prepare: async () => undefined },
    { name: 'proxy to containerd', socket: other.socket, prepare: fetchAgain },
    { name: 'ours direct', socket: direct.socket, prepare: async () => undefined },
    { name: 'ours grpc-js', socket: grpcJs.socket, prepare: async () => undefined },
  ];
  try {
    const seconds = await rounds(stores, { reference, registry, count: options.rounds });
    return report(image, seconds);
  } finally {
    await direct.stop();
    await grpcJs.stop();
  }
}

async function rounds(
  stores: readonly Store[],
  how: { reference: string; registry: DockerRegistry; count: number },
): Promise<Map<PullStore, number[]>> {
  const seconds = new Map<PullStore, number[]>(PULL_STORES.map((name) => [name, []]));
  // The first round brings the blobs there and is not counted.
  for (let round = 0; round <= how.count; round += 1) {
    for (const store of stores) {
      await how.registry.clearRequests();
      const took = await pullOnce(store, how.reference);
      const fetched = (await how.registry.blobGets()).length;
      if (round === 0) continue;
      if (fetched > 0 && store.socket !== undefined && store.name !== 'proxy to containerd') {
        throw new Error(`"${store.name}" fetched ${fetched} blobs that were here`);
      }
      seconds.get(store.name)?.push(took);
    }
  }
  return seconds;
}

async function pullOnce(store: Store, reference: string): Promise<number> {
  const plugin = store.socket === undefined ? {} : { plugin: { address: store.socket } };
  const containerd: ContainerdProcess = await startContainerd({ version: '2.1', ...plugin });
  try {
    await systemClock.sleep(SETTLE_MS);
    await store.prepare();
    const before = performance.now();
    await containerd.pull(reference);
    return (performance.now() - before) / 1000;
  } finally {
    await containerd.stop();
  }
}

function report(image: GeneratedImage, seconds: Map<PullStore, number[]>): PullReport {
  const of = (name: PullStore) => median(seconds.get(name) ?? []);
  const proxy = of('proxy to containerd');
  return {
    bytes: [...image.blobs.values()].reduce((sum, blob) => sum + blob.length, 0),
    seconds: byStore((name) => (seconds.get(name) ?? []).map(rounded)),
    medians: byStore((name) => rounded(of(name))),
    direct_to_proxy: rounded(of('ours direct') / proxy),
    grpc_js_to_proxy: rounded(of('ours grpc-js') / proxy),
    direct_to_built_in: rounded(of('ours direct') / of('built-in')),
  };
}

function byStore<Value>(of: (name: PullStore) => Value): Record<PullStore, Value> {
  return {
    'built-in': of('built-in'),
    'proxy to containerd': of('proxy to containerd'),
    'ours direct': of('ours direct'),
    'ours grpc-js': of('ours grpc-js'),
  };
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
