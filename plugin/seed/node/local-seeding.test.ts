import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../../core/oci/digest.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import { SeedWorld } from '../../../test/support/seed/seed-world.ts';
import { ORDERS_MAX, UNWATCHED_MS } from '../limits.ts';
import { PullToken } from '../pull-token.ts';
import type { SeedImage } from '../seed.ts';

const { signal } = new AbortController();

function sizeOf({ manifests, blobs }: SeedImage): number {
  return [...manifests, ...blobs].reduce((sum, { size }) => sum + size, 0);
}

describe('LocalSeeding', () => {
  it('brings what is missing, proves and pins it; the same again finds all present', async () => {
    const world = new SeedWorld();
    const node = world.node();
    const image = world.image('app', ['one', 'two']);
    const order = world.order([image]);
    const [row] = await world.rowsOf(node, order);
    expect(row).toMatchObject({
      ...{ state: 'fetched', bytesFetched: sizeOf(image), bytesPresent: sizeOf(image), bytesTotal: sizeOf(image) },
      ...{ blobsVerified: 4, blobsTotal: 4, pinnedUntilMs: order.pin.untilMs },
    });
    for (const { digest } of image.blobs) expect(world.store.stat(digest)?.holds.has('pin')).toBe(true);
    world.asked.length = 0;
    const untilMs = order.pin.untilMs + 1;
    const again = await world.rowsOf(node, { ...order, id: 'order-2', pin: { name: 'test', untilMs } });
    expect(again).toMatchObject([{ state: 'present', bytesFetched: 0, blobsVerified: 4 }]);
    expect(world.asked).toEqual([]);
    expect([...world.store.pins()]).toMatchObject([{ name: 'test', untilMs }]);
  });

  it('fetches a blob of several images once', async () => {
    const world = new SeedWorld();
    const [first, second] = [world.image('first', ['shared', 'a']), world.image('second', ['shared', 'b'])];
    const rows = await world.rowsOf(world.node(), world.order([first, second]));
    expect(rows.map(({ state }) => state)).toEqual(['fetched', 'fetched']);
    expect(world.asked.filter((digest) => digest === digestOf('shared'))).toHaveLength(1);
    expect(rows[1]?.bytesFetched).toBe(sizeOf(second) - 'shared'.length);
  });

  it('says which blob failed and why, and goes on with the other images', async () => {
    const world = new SeedWorld();
    const [bad, good] = [world.image('bad', ['lost']), world.image('good', ['fine'])];
    world.refused.set(digestOf('lost'), new CodedError('PERMISSION_DENIED', 'Registry says no'));
    const rows = await world.rowsOf(world.node(), world.order([bad, good]));
    expect(rows).toMatchObject([
      { state: 'failed', code: 'PERMISSION_DENIED', failedDigest: digestOf('lost'), isRetriable: false },
      { state: 'fetched' },
    ]);
    expect(rows[0]?.reason).toMatch(/Registry says no/);
  });

  it('asks the registry itself when nobody seems to have a blob, and tries again', async () => {
    const world = new SeedWorld();
    const image = world.image('app', ['late']);
    const node = world.node();
    world.refused.set(digestOf('late'), new CodedError('NOT_FOUND', 'No route'));
    await node.begin(world.order([image]));
    await world.clock.advance(1_000);
    world.refused.clear();
    await world.clock.advance(5_000);
    const news = await node.watch({ id: 'order-1', revision: 0, waitMs: 0 }, { signal });
    expect(news).toMatchObject({ isDone: true, rows: [{ state: 'fetched' }] });
  });

  it('refuses manifests with bytes of another digest', async () => {
    const world = new SeedWorld();
    const image = world.image('app', ['one']);
    const manifests = image.manifests.map((one) => ({ ...one, bytes: Buffer.alloc(one.size) }));
    const rows = await world.rowsOf(world.node(), world.order([{ ...image, manifests }]));
    expect(rows).toMatchObject([{ state: 'failed', code: 'DATA_LOSS', failedDigest: image.digest }]);
  });

  it('asks for manifests whose bytes nobody gave', async () => {
    const world = new SeedWorld();
    const image = world.image('app', ['one']);
    for (const { digest, bytes } of image.manifests) world.blobs.set(digest, Buffer.from(bytes ?? []));
    const manifests = image.manifests.map(({ bytes: _bytes, ...descriptor }) => descriptor);
    const rows = await world.rowsOf(world.node(), world.order([{ ...image, manifests }]));
    expect(rows).toMatchObject([{ state: 'fetched' }]);
    expect(world.asked).toContain('manifest app');
  });

  it('skips what is for other platforms, what does not fit, and everything on an observer', async () => {
    const world = new SeedWorld();
    const images = [world.image('arm', ['a']), world.image('large', ['x'.repeat(5_000)]), world.image('small', ['s'])];
    const [arm, large, small] = images;
    if (arm === undefined || large === undefined || small === undefined) throw new Error('No images');
    const wanted = [{ ...arm, platforms: [{ os: 'linux', architecture: 'arm64' }] }, large, small];
    world.freeBytes = 4_000;
    const rows = await world.rowsOf(world.node(), world.order(wanted));
    expect(rows.map(({ state, isRetriable }) => [state, isRetriable])).toEqual([
      ['skipped', false],
      ['skipped', true],
      ['fetched', false],
    ]);
    expect(rows[1]?.reason).toMatch(/^It lacks 5\.\d KiB, and this disk has room for 2\.9 KiB more$/);
    const capped = await world.rowsOf(world.node(), world.order([large], { id: 'capped', maxBytes: 100 }));
    expect(capped).toMatchObject([{ state: 'skipped' }]);
    const observer = await world.rowsOf(world.node({ mayHold: false }), world.order([small], { id: 'observer' }));
    expect(observer).toMatchObject([{ state: 'skipped', reason: expect.stringMatching(/observer/) }]);
  });

  it('lends the token to the downloads, and not when it has ended', async () => {
    const world = new SeedWorld();
    const image = world.image('app', ['one']);
    const token = new PullToken('s3cret', world.clock.now() + 60_000);
    await world.rowsOf(world.node(), world.order([{ ...image, token }]));
    expect(world.lent.map(({ digest }) => digest).sort()).toEqual(image.blobs.map(({ digest }) => digest).sort());
    expect(world.lent[0]?.credential).toEqual({ kind: 'bearer', token: 's3cret' });
    world.lent.length = 0;
    const late = { ...world.image('late', ['two']), token: new PullToken('old', world.clock.now()) };
    await world.rowsOf(world.node(), world.order([late], { id: 'late' }));
    expect(world.lent).toEqual([]);
  });

  it('ends at its deadline with what is there pinned, and goes on from there', async () => {
    const world = new SeedWorld();
    const node = world.node();
    const image = world.image('app', ['quick', 'slow']);
    world.held.add(digestOf('slow'));
    const [row] = await world.rowsOf(node, world.order([image], { deadlineMs: 5_000 }));
    expect(row).toMatchObject({ state: 'failed', code: 'UNAVAILABLE', isRetriable: true, blobsVerified: 3 });
    expect(row?.reason).toMatch(/deadline/);
    world.open();
    const [again] = await world.rowsOf(node, world.order([image], { id: 'again' }));
    expect(again).toMatchObject({ state: 'fetched', bytesFetched: 'slow'.length });
  });

  it('is no success when the pin has ended before all is there', async () => {
    const world = new SeedWorld();
    const image = world.image('app', ['one']);
    const pin = { name: 'short', untilMs: world.clock.now() - 1 };
    const rows = await world.rowsOf(world.node(), world.order([image], { pin }));
    expect(rows).toMatchObject([{ state: 'failed', blobsVerified: 0, reason: expect.stringMatching(/^Only 0 of 3/) }]);
  });

  it('ends when nobody asks about it any more, or when it is cancelled', async () => {
    const world = new SeedWorld();
    const node = world.node();
    const image = world.image('app', ['slow']);
    world.held.add(digestOf('slow'));
    await node.begin(world.order([image]));
    await world.clock.advance(UNWATCHED_MS * 2);
    const left = await node.watch({ id: 'order-1', revision: 0, waitMs: 0 }, { signal });
    expect(left).toMatchObject({ isDone: true, rows: [{ state: 'failed', code: 'CANCELLED' }] });
    await node.begin(world.order([image], { id: 'order-2' }));
    await node.cancel('order-2');
    await world.clock.advance(1_000);
    const cancelled = await node.watch({ id: 'order-2', revision: 0, waitMs: 0 }, { signal });
    expect(cancelled).toMatchObject({ isDone: true, rows: [{ state: 'failed', code: 'CANCELLED' }] });
  });

  it('watch() tells what has changed since, and knows no order that was never begun', async () => {
    const world = new SeedWorld();
    const node = world.node();
    const [quick, slow] = [world.image('quick', ['q']), world.image('slow', ['s'])];
    world.held.add(digestOf('s'));
    await node.begin(world.order([quick, slow]));
    await world.clock.advance(1_000);
    const first = await node.watch({ id: 'order-1', revision: 0, waitMs: 0 }, { signal });
    expect(first.rows.map(({ state }) => state)).toEqual(['fetched', 'fetching']);
    world.open();
    const watching = node.watch({ id: 'order-1', revision: first.revision, waitMs: 60_000 }, { signal });
    await world.clock.advance(1_000);
    expect(await watching).toMatchObject({ isDone: true, rows: [{ image: 1, state: 'fetched' }] });
    const unknown = node.watch({ id: 'none', revision: 0, waitMs: 0 }, { signal });
    await expect(unknown).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('begin() takes so many orders at once, and one that runs already without harm', async () => {
    const world = new SeedWorld();
    const node = world.node();
    const image = world.image('app', ['slow']);
    world.held.add(digestOf('slow'));
    for (let at = 0; at < ORDERS_MAX; at += 1) await node.begin(world.order([image], { id: `order-${at}` }));
    await node.begin(world.order([image], { id: 'order-0' }));
    await expect(node.begin(world.order([image], { id: 'more' }))).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
    });
    await node.stop();
  });

  it('presence() has one bit for each digest', async () => {
    const world = new SeedWorld();
    const node = world.node();
    const image = world.image('app', ['one']);
    await world.rowsOf(node, world.order([image]));
    const asked = [digestOf('no'), digestOf('one'), ...Array.from({ length: 7 }, () => image.digest)];
    expect([...(await node.presence(asked))]).toEqual([0b01111111, 0b10000000]);
  });

  it('level image pulls through the runtime once the bytes are here', async () => {
    const world = new SeedWorld();
    const image = world.image('app', ['one']);
    const pulled: string[] = [];
    const runtime = {
      isThere: async () => true,
      pull: async (ref: string) => {
        expect(world.store.stat(digestOf('one'))).toBeDefined();
        pulled.push(ref);
      },
    };
    const order = world.order([image], { level: 'image' });
    expect(await world.rowsOf(world.node({ runtime }), order)).toMatchObject([{ state: 'fetched', isUnpacked: true }]);
    expect(pulled).toEqual([image.ref]);
    const without = await world.rowsOf(world.node(), { ...order, id: 'without' });
    expect(without).toMatchObject([{ state: 'failed', code: 'FAILED_PRECONDITION', isUnpacked: false }]);
  });
});
