import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../core/runtime/clock.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import { noMetrics } from '../../core/runtime/metrics.ts';
import { quiet, registrySetup } from '../../test/support/fake-registry/registry-setup.ts';
import { createContent } from '../content/create-content.ts';
import type { CallerCredential } from '../content/origin.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { createUpstream } from './create-upstream.ts';

const ME: CallerCredential = { kind: 'basic', username: 'me', password: 'secret' };
const AUTH = { kind: 'basic', users: { me: 'secret' } } as const;

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function setUp() {
  const fake = await registrySetup();
  const { client, repository, registry, layer } = fake;
  const upstream = createUpstream(
    { client, clock: systemClock, log: silentLogger },
    { endpoints: [repository.registry] },
  );
  await upstream.start({ signal: quiet });
  cleanUps.push(
    () => fake[Symbol.asyncDispose](),
    () => upstream.stop(),
  );
  const source = { registry: registry.host, repository: 'team/app' };
  return { ...fake, upstream, origin: upstream.origin, source, want: { ...layer, sources: [source] } };
}

describe('resolve()', () => {
  it('is one request for those who ask at the same time with the same rights, and one more for others', async () => {
    const { origin, source, registry, image } = await setUp();
    registry.faults = { delayMs: 50 };
    const calls = [{}, {}, { as: ME }, { as: ME }, { as: { kind: 'anonymous' } as const }];
    const asked = calls.map((call) => origin.resolve(source, 'latest', { signal: quiet, ...call }));
    for (const { digest } of await Promise.all(asked)) expect(digest).toBe(image.digest);
    expect(registry.log.lines()).toHaveLength(3);
  });

  it('goes on for the others when one of them leaves', async () => {
    const { origin, source, registry, image } = await setUp();
    registry.faults = { delayMs: 50 };
    const leaving = new AbortController();
    const left = origin.resolve(source, 'latest', { signal: leaving.signal });
    const stays = origin.resolve(source, 'latest', { signal: quiet });
    leaving.abort();
    await expect(left).rejects.toMatchObject({ name: 'AbortError' });
    await expect(stays).resolves.toMatchObject({ digest: image.digest });
  });
});

describe("a caller's answer", () => {
  it('says nothing of what this node may read', async () => {
    const { origin, upstream, source, registry, want } = await setUp();
    registry.faults = { auth: AUTH };
    await expect(origin.blobSize(source, want.digest, { signal: quiet, as: ME })).resolves.toBe(want.size);
    upstream.prepare(want);
    await upstream.settled(want, { signal: quiet });
    expect(upstream.route(want)).toBe('no');
  });
});

describe('lend()', () => {
  it('lets the download of that blob use what was lent, and no other', async () => {
    const { origin, upstream, source, registry, want, image, layerBytes } = await setUp();
    registry.faults = { auth: AUTH };
    const store = createMemoryStore();
    const deps = { store, sources: [upstream], clock: systemClock, log: silentLogger, metrics: noMetrics };
    const content = createContent(deps, { giveUpMs: 1_000 });
    cleanUps.push(() => content.stop());
    origin.lend(source, want.digest, ME);
    expect(upstream.route(want)).toBe('yes');
    await content.fetch(want, 'cache').done;
    expect(store.stat(want.digest)?.size).toBe(layerBytes.length);
    const [config] = image.images.map((one) => one.config);
    if (config === undefined) throw new Error('Image has no config');
    await expect(content.fetch({ ...config, sources: [source] }, 'cache').done).rejects.toThrow();
    expect(
      registry.log.of(/blobs/).filter(({ path, authorization }) => path.includes(config.digest) && authorization),
    ).toEqual([]);
  });

  it('falls back to this node alone when what was lent is refused', async () => {
    const { origin, upstream, source, want, registry } = await setUp();
    origin.lend(source, want.digest, { ...ME, password: 'wrong' });
    registry.faults = { auth: AUTH };
    const store = createMemoryStore();
    const deps = { store, sources: [upstream], clock: systemClock, log: silentLogger, metrics: noMetrics };
    const content = createContent(deps, { giveUpMs: 1_000 });
    cleanUps.push(() => content.stop());
    await expect(content.fetch(want, 'cache').done).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});
