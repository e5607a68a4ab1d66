import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Digest, digestOf } from '../../core/oci/digest.ts';
import type { Store } from './store.ts';
import { createHandClock, createTestRoot, type HandClock, MIB, type TestRoot, writeBlob } from './test-store.ts';

describe('Eviction on disk', () => {
  let test: TestRoot;
  let clock: HandClock;
  beforeEach(() => {
    test = createTestRoot();
    clock = createHandClock();
  });
  afterEach(() => test.remove());

  /** A blob of 100 bytes that only the cache holds. */
  async function cached(store: Store, name: string): Promise<Digest> {
    const digest = await writeBlob(store, Buffer.alloc(100, name));
    await store.release(digest, 'containerd');
    await clock.advance(10);
    return digest;
  }

  async function present(store: Store, digests: readonly Digest[]): Promise<boolean[]> {
    await clock.advance(1);
    return digests.map((digest) => store.stat(digest) !== undefined);
  }

  it('takes the least recently used above the high watermark, down to the low one', async () => {
    const store = await test.open({ clock, limits: { capacityBytes: 500, highWatermark: 0.8, lowWatermark: 0.4 } });
    const all = [];
    for (const name of ['a', 'b', 'c', 'd']) all.push(await cached(store, name));
    store.touch(all[0] ?? digestOf(''));
    expect(await present(store, all)).toEqual([true, true, true, true]);
    all.push(await cached(store, 'e'));
    expect(await present(store, all)).toEqual([true, false, false, false, true]);
  });

  it('takes nothing that containerd or a pin holds', async () => {
    const store = await test.open({ clock, limits: { capacityBytes: 100, highWatermark: 1, lowWatermark: 0.1 } });
    const held = await cached(store, 'held');
    await store.hold(held, 'containerd');
    const pinned = await cached(store, 'pinned');
    await store.pin('p', [pinned], clock.now() + 1e6);
    expect(await store.evictTo(0)).toBe(0);
    expect(await present(store, [held, pinned])).toEqual([true, true]);
    const loose = await cached(store, 'loose');
    expect(await store.evictTo(0)).toBe(100);
    expect(await present(store, [held, pinned, loose])).toEqual([true, true, false]);
  });

  it('gives room to one of the downloads that open at the same time, when there is no more', async () => {
    const store = await test.open({ freeBytes: async () => 1000, limits: { minFreeBytes: 100 } });
    const names = ['a', 'b', 'c'];
    const opened = await Promise.allSettled(names.map((name) => store.openPartial(digestOf(name), 600)));
    expect(opened.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  });

  it('keeps min_free of the file system, also when others fill it', async () => {
    let freeBytes = 1000;
    const options = { clock, upkeepEveryMs: 50, freeBytes: async () => freeBytes, limits: { minFreeBytes: 500 } };
    const store = await test.open(options);
    const all = [await cached(store, 'a'), await cached(store, 'b'), await cached(store, 'c')];
    freeBytes = 350;
    await clock.advance(60);
    expect(await present(store, all)).toEqual([false, false, true]);
  });

  it('drops downloads left behind, oldest first, but none that is claimed', async () => {
    const store = await test.open({ clock });
    const size = 5 * MIB;
    const [old, claimed] = [digestOf('old'), digestOf('claimed')];
    for (const digest of [old, claimed]) {
      const download = await store.openPartial(digest, size);
      await download.write(0, Buffer.alloc(4 * MIB));
      await download.close();
    }
    store.putClaim({ digest: claimed, size, sources: [], claimedAtMs: clock.now() });
    expect(await store.evictTo(0)).toBe(4 * MIB);
    expect([...store.partials()]).toEqual([{ digest: claimed, size, bytesPresent: 4 * MIB }]);
  });

  it('openPartial() counts what open downloads have still to write', async () => {
    const options = { clock, freeBytes: async () => 1000, limits: { minFreeBytes: 100 } };
    const store = await test.open(options);
    const first = await store.openPartial(digestOf('first'), 500);
    const refused = await store.openPartial(digestOf('second'), 500).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    await first.discard();
    const second = await store.openPartial(digestOf('second'), 500);
    await second.discard();
    expect([...store.partials()]).toEqual([]);
  });
});
