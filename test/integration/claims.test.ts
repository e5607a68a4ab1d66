/**
 * The claim rules on each real containerd: a claimed layer is not asked of the registry by containerd, and a claim that
 * cannot be met is taken back, so that the next pull succeeds by containerd's own fetch. Bytes come from a source of this
 * test, which can be told to fail.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import type { Digest } from '../../core/oci/digest.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { startAll } from '../../core/runtime/lifecycle.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import { createMetrics, noMetrics } from '../../core/runtime/metrics.ts';
import { createContainerd } from '../../plugin/containerd/grpc-containerd.ts';
import { createClaimKeeper } from '../../plugin/content-api/claims/claim-keeper.ts';
import { createContentServer } from '../../plugin/content-api/server.ts';
import type { BlobSource, FlightSink, Route, Want } from '../../plugin/content/blob-source.ts';
import { createContent } from '../../plugin/content/create-content.ts';
import { createKnownBlobs } from '../../plugin/content/create-known-blobs.ts';
import { createDiskStore } from '../../plugin/store/disk-store.ts';
import { type ContainerdProcess, startContainerd } from '../support/containerd/containerd-process.ts';
import { CONTAINERD_VERSIONS, unavailable } from '../support/containerd/versions.ts';
import { imageClient } from '../support/cri/image-client.ts';
import { makeTestDirectory, removeTestDirectory } from '../support/debian/test-directory.ts';
import { busyboxImage } from '../support/docker-registry/busybox-image.ts';
import {
  type DockerRegistry,
  dockerRegistryUnavailable,
  startDockerRegistry,
} from '../support/docker-registry/docker-registry.ts';
import { pushImage } from '../support/docker-registry/push.ts';

const DEADLINE_MS = 60_000;
const { signal } = new AbortController();
const LIMITS = { capacityBytes: 1e9, highWatermark: 0.9, lowWatermark: 0.7, minFreeBytes: 0 };

/** Fetches from the test's registry by the repository that the claim rules have learned. */
class TestSource implements BlobSource {
  readonly name = 'test';
  readonly wants: Want[] = [];
  /** What becomes of a fetch. */
  mood: 'serves' | 'refuses' | 'hangs' = 'serves';
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  prepare(): void {}

  route(want: Want): Route {
    return want.sources.some(({ registry }) => registry.startsWith('127.0.0.1')) ? 'yes' : 'no';
  }

  async settled(): Promise<void> {}

  async fetch(want: Want, sink: FlightSink, call: { signal: AbortSignal }): Promise<void> {
    this.wants.push(want);
    if (this.mood === 'refuses') throw new CodedError('NOT_FOUND', 'The registry has lost it');
    if (this.mood === 'hangs') await systemClock.sleep(DEADLINE_MS, call);
    const response = await fetch(`${this.#url}/v2/${want.sources[0]?.repository}/blobs/${want.digest}`, call);
    const bytes = new Uint8Array(await response.arrayBuffer());
    for (let gap = sink.nextGap(65536); gap !== undefined; gap = sink.nextGap(65536)) {
      await sink.write(gap.start, bytes.subarray(gap.start, gap.end));
    }
  }

  sentWrongBytes(): void {}
}

interface TestNode {
  readonly source: TestSource;
  claims(): Digest[];
  /** Blobs with containerd's hold. */
  listed(): Digest[];
  isConnected(): boolean;
  metric(line: string): Promise<number>;
  stop(): Promise<void>;
}

async function startNode(options: { directory: string; containerdSocket: string; url: string }): Promise<TestNode> {
  const of = { clock: systemClock, log: silentLogger, metrics: noMetrics };
  const source = new TestSource(options.url);
  const metrics = createMetrics({ process: false });
  const store = createDiskStore({ root: join(options.directory, 'content'), limits: LIMITS, ...of });
  const content = createContent({ store, sources: [source], ...of });
  const containerd = createContainerd({ socket: options.containerdSocket, ...of });
  const known = createKnownBlobs();
  const claims = createClaimKeeper(
    { claimStore: store, store, content, known, containerd, ...of, metrics },
    { giveUpMs: 3000 },
  );
  const server = createContentServer(
    { store, content, claims, ...of },
    { socket: join(options.directory, 'content.sock') },
  );
  const services = { store, containerd, content, claims, server };
  const parts = Object.entries(services).map(([name, service]) => ({ name, service }));
  const stop = await startAll(parts, { signal });
  const metric = async (line: string) => {
    const { text } = await metrics.scrape();
    return Number(
      text
        .split('\n')
        .find((each) => each.startsWith(`${line} `))
        ?.slice(line.length) ?? 0,
    );
  };
  return {
    ...{ source, stop, metric, isConnected: () => containerd.isReachable() },
    listed: () => [...store.list('containerd')].map(({ digest }) => digest),
    claims: () => [...claims.claims()].map(({ digest }) => digest),
  };
}

for (const version of CONTAINERD_VERSIONS) {
  const reason = unavailable(version) ?? dockerRegistryUnavailable();
  if (reason !== undefined) process.stderr.write(`Claims on containerd ${version} are not tested: ${reason}\n`);
  const suite = reason === undefined ? describe : describe.skip;

  suite(`claims on containerd ${version}`, () => {
    let directory: string;
    let registry: DockerRegistry;
    let runtime: ContainerdProcess;
    let node: TestNode;
    let reference: string;

    beforeEach(async () => {
      directory = await makeTestDirectory('shoal-claims-');
      registry = await startDockerRegistry();
      reference = `${registry.host}/library/hello:v1`;
      await pushImage(registry.target('library/hello'), await busyboxImage({ 'hello.txt': 'claimed\n' }));
      node = await openNode();
      runtime = await startContainerd({
        version,
        cri: true,
        directory: join(directory, 'c'),
        plugin: { address: join(directory, 'content.sock') },
      });
    }, DEADLINE_MS);

    afterEach(async () => {
      await runtime?.stop();
      await node?.stop();
      await registry?.stop();
      await removeTestDirectory(directory);
    }, DEADLINE_MS);

    const openNode = () =>
      startNode({ directory, containerdSocket: join(directory, 'c', 'c.sock'), url: registry.url });
    const askedByContainerd = async () =>
      (await registry.blobGets()).filter(({ userAgent }) => userAgent.startsWith('containerd')).length;
    const runs = () => runtime.runContainer(reference, ['cat', '/hello.txt']);

    it(
      'a pull claims config and layer: containerd fetches neither, and the container runs',
      async () => {
        await until(async () => node.isConnected());
        await runtime.pull(reference);
        expect(await askedByContainerd()).toBe(0);
        expect(node.source.wants).toHaveLength(2);
        expect(await node.metric('shoal_claims_total{answer="fleet"}')).toBe(2);
        expect(await runs()).toBe('claimed\n');
        expect(node.claims()).toEqual([]);
      },
      DEADLINE_MS,
    );

    it(
      'a pull through CRI claims too, and what its image held is gone from the list once it is removed',
      async () => {
        await until(async () => node.isConnected());
        using images = imageClient(runtime.socket);
        await images.pullImage(reference);
        expect(await askedByContainerd()).toBe(0);
        expect(node.source.wants).toHaveLength(2);
        expect(node.listed()).toHaveLength(3);
        await images.removeImage(reference);
        await until(async () => node.listed().length === 0);
      },
      DEADLINE_MS,
    );

    it(
      'a claim that is refused is given back: that pull fails, the next one fetches by itself and runs',
      async () => {
        await until(async () => node.isConnected());
        node.source.mood = 'refuses';
        await expect(runtime.pull(reference)).rejects.toThrow();
        await until(
          async () => (await node.metric('shoal_claims_given_back_total')) >= 1 && node.claims().length === 0,
        );
        await runtime.pull(reference);
        expect(await askedByContainerd()).toBe(2);
        expect(await runs()).toBe('claimed\n');
      },
      DEADLINE_MS,
    );

    it(
      'a claim that gets no byte is given back after claim_give_up, also when containerd was killed and the plugin restarted meanwhile',
      async () => {
        await until(async () => node.isConnected());
        node.source.mood = 'hangs';
        const pull = runtime.pull(reference).catch((error: unknown) => error);
        await until(async () => node.claims().length > 0);
        await systemClock.sleep(300);
        await runtime.kill();
        await node.stop();
        await pull;
        node = await openNode();
        node.source.mood = 'hangs';
        expect(node.claims().length).toBeGreaterThan(0);
        await runtime.start();
        await until(
          async () => (await node.metric('shoal_claims_given_back_total')) >= 1 && node.claims().length === 0,
        );
        await runtime.pull(reference);
        expect(await askedByContainerd()).toBe(2);
        expect(await runs()).toBe('claimed\n');
      },
      DEADLINE_MS,
    );
  });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 1500; turn += 1) {
    if (await condition()) return;
    await systemClock.sleep(20);
  }
  expect(await condition()).toBe(true);
}
