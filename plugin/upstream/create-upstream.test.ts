import { afterEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { parsePlatform } from '../../core/oci/platform.ts';
import { parseReference } from '../../core/oci/reference.ts';
import type { Credential, CredentialSource } from '../../core/registry/credentials.ts';
import type { RegistryClient } from '../../core/registry/registry-client.ts';
import type { RegistryLists } from '../../core/registry/registry-lists.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import { createMetrics, noMetrics } from '../../core/runtime/metrics.ts';
import { quiet, registrySetup, type SetupOptions } from '../../test/support/fake-registry/registry-setup.ts';
import { ManualClock } from '../content/fakes/manual-clock.ts';
import type { FlightSink, Want } from '../content/blob-source.ts';
import { createContent } from '../content/create-content.ts';
import { createKnownBlobs } from '../content/create-known-blobs.ts';
import { pullImage } from '../content/image-pull.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { createUpstream } from './create-upstream.ts';
import { createRegistryObserver } from './events.ts';
import type { UpstreamOptions } from './upstream.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function setUp(setup: SetupOptions = {}, options: UpstreamOptions = {}) {
  const fake = await registrySetup(setup);
  cleanUps.push(() => fake[Symbol.asyncDispose]());
  const { client, repository, layer } = fake;
  const credentials = setup.credentials;
  const deps = { client, clock: systemClock, log: silentLogger, ...(credentials ? { credentials } : {}) };
  const upstream = createUpstream(deps, { endpoints: [repository.registry], ...options });
  await upstream.start({ signal: quiet });
  cleanUps.push(() => upstream.stop());
  // As in containerd's labels: without the port.
  const sources = [{ registry: '127.0.0.1', repository: 'team/app' }];
  const want: Want = { digest: layer.digest, size: layer.size, sources };
  return { ...fake, upstream, want };
}

/** A sink that keeps what it is given. */
function sinkOf(want: Want) {
  const bytes = Buffer.alloc(want.size);
  const writes: { start: number; end: number }[] = [];
  let at = 0;
  const sink: FlightSink = {
    digest: want.digest,
    size: want.size,
    nextGap: (max = want.size) => (at < want.size ? { start: at, end: Math.min(want.size, at + max) } : undefined),
    urgentGap: () => undefined,
    write: async (offset, part) => {
      bytes.set(part, offset);
      writes.push({ start: offset, end: offset + part.length });
      at = offset + part.length;
    },
  };
  return { sink, bytes, writes };
}

describe('route()', () => {
  it('asks first, then says yes for a repository that answers', async () => {
    const { upstream, want, registry } = await setUp();
    expect(upstream.route(want)).toBe('asking');
    upstream.prepare(want);
    upstream.prepare(want);
    await upstream.settled(want, { signal: quiet });
    expect(upstream.route(want)).toBe('yes');
    expect(registry.log.lines()).toEqual([`HEAD /v2/team/app/blobs/${want.digest} 200`]);
    expect(upstream.route({ ...want, digest: digestOf('another layer') })).toBe('yes');
  });

  it('says no for a blob that is absent, and without any source', async () => {
    const { upstream, want } = await setUp();
    const absent = { ...want, digest: digestOf('absent') };
    await upstream.settled(absent, { signal: quiet });
    expect(upstream.route(absent)).toBe('no');
    expect(upstream.route({ ...want, sources: [] })).toBe('no');
  });

  it('says no where this node is refused, until its credentials change', async () => {
    let credential: Credential | undefined;
    const credentials: CredentialSource = {
      get: async () => credential,
      version: async () => (credential === undefined ? 'none' : 'some'),
    };
    const { upstream, want, registry } = await setUp({ credentials });
    registry.faults.auth = { kind: 'basic', users: { me: 'secret' } };
    upstream.prepare(want);
    await upstream.settled(want, { signal: quiet });
    expect(upstream.route(want)).toBe('no');
    credential = { kind: 'basic', username: 'me', password: 'secret' };
    await systemClock.sleep(600);
    upstream.prepare(want);
    await systemClock.sleep(50);
    await upstream.settled(want, { signal: quiet });
    expect(upstream.route(want)).toBe('yes');
  });

  it('says no for registries that the operator does not allow', async () => {
    const { upstream, want, registry } = await setUp({}, { allow: ['registry.example'] });
    upstream.prepare(want);
    expect(upstream.route(want)).toBe('no');
    expect(registry.log.entries).toEqual([]);
  });
});

describe('configure()', () => {
  it('takes other settings over and forgets what was refused under the old ones', async () => {
    const { upstream, want, repository } = await setUp({}, { allow: ['registry.example'] });
    expect(upstream.route(want)).toBe('no');
    upstream.configure({ endpoints: [repository.registry] });
    upstream.prepare(want);
    await upstream.settled(want, { signal: quiet });
    expect(upstream.route(want)).toBe('yes');
    upstream.configure({ endpoints: [repository.registry], allow: ['registry.example'] });
    expect(upstream.route(want)).toBe('no');
  });
});

describe('route() without an answer', () => {
  it('says no for a while when the registry cannot be reached', async () => {
    const { upstream, want, registry } = await setUp();
    await registry.down();
    await upstream.settled(want, { signal: quiet });
    expect(upstream.route(want)).toBe('no');
  });

  it('stays undecided when whoever waits goes away', async () => {
    const client = { ...fakeClient(async function* () {}), hasBlob: () => new Promise<never>(() => undefined) };
    const upstream = createUpstream({ client, clock: new ManualClock(), log: silentLogger });
    const want = { digest: digestOf('x'), size: 1, sources: [{ registry: 'a.example', repository: 'b' }] };
    const leaving = new AbortController();
    const waiting = upstream.settled(want, { signal: leaving.signal }).catch((error: unknown) => error);
    leaving.abort();
    expect(await waiting).toMatchObject({ name: 'AbortError' });
    expect(upstream.route(want)).toBe('asking');
  });

  it('takes a credential for the registry as its word', async () => {
    const client = {
      ...fakeClient(async function* () {}),
      hasBlob: () => Promise.reject(new Error('Not to be asked')),
    };
    const credential: Credential = { kind: 'basic', username: 'me', password: 'secret' };
    const credentials: CredentialSource = {
      get: async (host) => (host === 'a.example' ? credential : undefined),
      version: async () => '1',
    };
    const upstream = createUpstream({ client, credentials, clock: systemClock, log: silentLogger });
    const want = { digest: digestOf('x'), size: 1, sources: [{ registry: 'a.example', repository: 'b' }] };
    await upstream.settled(want, { signal: quiet });
    expect(upstream.route(want)).toBe('yes');
  });
});

describe('manifests', () => {
  it('are resolved by tag and brought by digest, and make their repository one that answers', async () => {
    const { upstream, want, registry } = await setUp();
    const reference = parseReference(`${registry.host}/team/app:latest`);
    const descriptor = await upstream.resolve(reference, { signal: quiet });
    const source = { registry: '127.0.0.1', repository: 'team/app' };
    const { bytes } = await upstream.manifest(source, descriptor.digest, { signal: quiet });
    expect(digestOf(bytes)).toBe(descriptor.digest);
    expect(upstream.route(want)).toBe('yes');
  });

  it('that nobody has are refused with the registry’s own word', async () => {
    const { upstream, registry } = await setUp();
    const reference = parseReference(`${registry.host}/team/app:absent`);
    await expect(upstream.resolve(reference, { signal: quiet })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      status: 404,
    });
  });
});

describe('fetch()', () => {
  it('brings a blob by one request, in large writes', async () => {
    const { upstream, want, registry, layerBytes } = await setUp({
      image: { layerCount: 1, layerSizeBytes: 3_000_000 },
    });
    const { sink, bytes, writes } = sinkOf(want);
    await upstream.fetch(want, sink, { signal: quiet });
    expect(bytes.equals(layerBytes)).toBe(true);
    expect(registry.log.of(/blobs/)).toHaveLength(1);
    expect(writes.slice(0, -1).every(({ start, end }) => end - start >= 256 * 1024)).toBe(true);
  });

  it('refuses for good what the registry refuses', async () => {
    const { upstream, want, registry } = await setUp();
    registry.faults.auth = { kind: 'basic', users: { me: 'secret' } };
    const { sink } = sinkOf(want);
    await expect(upstream.fetch(want, sink, { signal: quiet })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(upstream.route(want)).toBe('no');
    await expect(upstream.fetch(want, sink, { signal: quiet })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('goes on with another repository when one fails', async () => {
    const { upstream, want, layerBytes } = await setUp();
    const { sink, bytes } = sinkOf(want);
    const sources = [{ registry: '127.0.0.1', repository: 'nobody/nothing' }, ...want.sources];
    await upstream.fetch({ ...want, sources }, sink, { signal: quiet });
    expect(bytes.equals(layerBytes)).toBe(true);
  });

  it('stays below the bandwidth', async () => {
    const { upstream, want, layerBytes } = await setUp({}, { bandwidthBytesPerSecond: 500_000 });
    const { sink, bytes } = sinkOf(want);
    const startedAtMs = performance.now();
    await upstream.fetch(want, sink, { signal: quiet });
    const leastMs = ((want.size - 125_000) / 500_000) * 1000;
    expect(performance.now() - startedAtMs).toBeGreaterThan(leastMs * 0.9);
    expect(bytes.equals(layerBytes)).toBe(true);
  });

  it('keeps what came before a failure', async () => {
    const { upstream, want, registry } = await setUp();
    registry.faults.truncate = { afterBytes: 100_000, times: 100 };
    const { sink, writes } = sinkOf(want);
    await upstream.fetch(want, sink, { signal: quiet }).catch(() => undefined);
    expect(writes.at(-1)?.end).toBeGreaterThanOrEqual(100_000);
  });

  it('moves to where a reader waits', async () => {
    const asked: number[] = [];
    const size = 40 * 1024 * 1024;
    const client = fakeClient(async function* (_, { offset, end }) {
      asked.push(offset);
      for (let at = offset; at < end; at += 65_536) yield Buffer.alloc(Math.min(65_536, end - at));
    });
    const upstream = createUpstream({ client, clock: systemClock, log: silentLogger });
    const want = { digest: digestOf('x'), size, sources: [{ registry: 'a.example', repository: 'b' }] };
    const far = 30 * 1024 * 1024;
    let [low, high] = [0, far];
    const sink: FlightSink = {
      digest: want.digest,
      size,
      nextGap: () => (high < size ? { start: high, end: size } : low < far ? { start: low, end: far } : undefined),
      urgentGap: () => (high < size && low > 0 ? { start: high, end: size } : undefined),
      write: async (offset, bytes) => {
        if (offset >= far) high = offset + bytes.length;
        else low = offset + bytes.length;
      },
    };
    const first = sink.nextGap;
    sink.nextGap = (max) => (low === 0 ? { start: 0, end: far } : first(max));
    await upstream.fetch(want, sink, { signal: quiet });
    expect(asked).toHaveLength(3);
    expect(asked[0]).toBe(0);
    expect(asked[1]).toBe(far);
    expect(asked[2]).toBeLessThan(2 * 1024 * 1024);
  });

  it('runs at most so many streams to one registry, and gives everyone a turn long before one of them is through', async () => {
    let [running, most] = [0, 0];
    const clock = new ManualClock();
    const size = 200 * 65_536;
    const client = fakeClient(async function* (_, { offset, end }) {
      running += 1;
      most = Math.max(most, running);
      try {
        for (let at = offset; at < end; at += 65_536) {
          await clock.sleep(100);
          yield Buffer.alloc(Math.min(65_536, end - at));
        }
      } finally {
        running -= 1;
      }
    });
    const upstream = createUpstream({ client, clock, log: silentLogger }, { concurrency: 2 });
    const sinks = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => {
      const want = { digest: digestOf(name), size, sources: [{ registry: 'a.example', repository: 'b' }] };
      return { want, ...sinkOf(want) };
    });
    const fetching = Promise.all(sinks.map(({ want, sink }) => upstream.fetch(want, sink, { signal: quiet })));
    await clock.advance(10_000);
    expect(sinks.map(({ writes }) => writes.length > 0)).toEqual(sinks.map(() => true));
    expect(sinks.some(({ writes }) => writes.at(-1)?.end === size)).toBe(false);
    await clock.advance(60_000);
    await fetching;
    expect(most).toBe(2);
    expect(sinks.every(({ writes }) => writes.at(-1)?.end === size)).toBe(true);
  });
});

type BlobCall = (name: string, range: { offset: number; end: number }) => AsyncGenerator<Buffer>;

/** A client that only knows blobs. */
function fakeClient(blob: BlobCall): RegistryClient & RegistryLists {
  const refuse = () => Promise.reject(new CodedError('NOT_FOUND', 'Not in this fake'));
  return {
    resolve: refuse,
    manifest: refuse,
    hasBlob: refuse,
    pullToken: refuse,
    tags: refuse,
    referrers: refuse,
    blob: (repository, { size }, { offset = 0, end = size }) => blob(repository.name, { offset, end }),
  };
}

describe('with the heart', () => {
  it('pulls an image from a registry with redirects, broken lines and tokens, and counts its bytes', async () => {
    const metrics = createMetrics({ process: false });
    const observer = createRegistryObserver({ log: silentLogger, metrics });
    const { upstream, registry, image } = await setUp({
      image: { layerCount: 4, layerSizeBytes: 700_000 },
      client: { observer },
    });
    registry.faults = {
      auth: { kind: 'bearer', anonymous: true },
      redirectBlobs: 'other-host',
      truncate: { afterBytes: 200_000, times: 3 },
    };
    const store = createMemoryStore();
    const content = createContent({
      store,
      sources: [upstream],
      clock: systemClock,
      log: silentLogger,
      metrics: noMetrics,
    });
    const deps = { store, content, known: createKnownBlobs(), manifests: upstream, clock: systemClock };
    const reference = parseReference(`${registry.host}/team/app:latest`);
    const platform = parsePlatform('linux/amd64');
    const events = await Array.fromAsync(pullImage(deps, reference, { platform, signal: quiet }));
    const layers = image.images[0]?.layers ?? [];
    expect(layers).toHaveLength(4);
    for (const layer of layers) expect(store.stat(layer.digest)?.size).toBe(layer.size);
    expect(events.filter(({ state }) => state === 'done').length).toBe([...store.list('cache')].length);
    const { text } = await metrics.scrape();
    const counted = /shoal_upstream_bytes_total\{registry="[^"]+"\} (\d+)/.exec(text)?.[1];
    expect(Number(counted)).toBeGreaterThan(layers.reduce((sum, { size }) => sum + size, 0));
    expect(text).toMatch(/shoal_upstream_requests_total\{registry="[^"]+",kind="blob",status="307"\}/);
  });

  it('keeps nothing of a registry that sends wrong bytes', async () => {
    const { upstream, want, registry } = await setUp();
    registry.faults.wrongBytes = true;
    const store = createMemoryStore();
    const content = createContent({
      store,
      sources: [upstream],
      clock: systemClock,
      log: silentLogger,
      metrics: noMetrics,
    });
    await expect(content.fetch(want, 'cache').done).rejects.toMatchObject({ code: 'DATA_LOSS' });
    expect(store.stat(want.digest)).toBeUndefined();
    expect([...store.partials()]).toEqual([]);
    expect(registry.log.of(/blobs/).filter(({ method }) => method === 'GET')).toHaveLength(2);
  });
});
