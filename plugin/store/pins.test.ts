import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf, hexOf } from '../../core/oci/digest.ts';
import { PIN_NAME_BYTES_MAX } from './pins.ts';
import { createHandClock, createTestRoot, type HandClock, type TestRoot, writeBlob } from './test-store.ts';

describe('PinStore on disk', () => {
  let test: TestRoot;
  let clock: HandClock;
  beforeEach(() => {
    test = createTestRoot();
    clock = createHandClock();
  });
  afterEach(() => test.remove());

  it('pin() keeps a blob that nothing else holds, over a restart, until its end', async () => {
    const store = await test.open({ clock });
    const digest = await writeBlob(store, Buffer.from('warm'));
    await store.pin('event/one', [digest], clock.now() + 1000);
    await store.release(digest, 'containerd', { keep: false });
    expect([...(store.stat(digest)?.holds ?? [])]).toEqual(['pin']);
    expect(statSync(join(test.root, 'shoal/pins/event%2Fone', hexOf(digest))).nlink).toBe(1);
    await store.stop();
    const again = await test.open({ clock });
    expect([...again.pins()]).toEqual([{ name: 'event/one', untilMs: clock.now() + 1000, digests: [digest] }]);
    const open = await again.open(digest);
    await open.close();
    await clock.advance(1001);
    expect(again.stat(digest)).toBeUndefined();
    expect([...again.list()]).toEqual([]);
    expect([...again.pins()]).toEqual([]);
  });

  it('a pin that has ended is removed by upkeep', async () => {
    const store = await test.open({ clock, upkeepEveryMs: 500 });
    const digest = await writeBlob(store, Buffer.from('warm'));
    await store.pin('p', [digest], clock.now() + 100);
    await clock.advance(600);
    expect(existsSync(join(test.root, 'shoal/pins/p'))).toBe(false);
    expect([...(store.stat(digest)?.holds ?? [])]).toEqual(['containerd']);
  });

  it('a pin that ended while nothing ran is removed at start', async () => {
    const store = await test.open({ clock });
    const digest = await writeBlob(store, Buffer.from('warm'));
    await store.pin('p', [digest], clock.now() + 100);
    await store.release(digest, 'containerd', { keep: false });
    await store.stop();
    await clock.advance(200);
    const again = await test.open({ clock });
    expect(again.stat(digest)).toBeUndefined();
    expect(existsSync(join(test.root, 'shoal/pins/p'))).toBe(false);
  });

  it('pin() of an existing name adds blobs and takes the later end', async () => {
    const store = await test.open({ clock });
    const [one, two] = [await writeBlob(store, Buffer.from('1')), await writeBlob(store, Buffer.from('2'))];
    const untilMs = clock.now() + 5000;
    await store.pin('p', [one], untilMs);
    await store.pin('p', [two], untilMs - 1000);
    expect([...store.pins()]).toEqual([{ name: 'p', untilMs, digests: [one, two] }]);
    await store.unpin('p');
    await store.unpin('p');
    expect([...store.pins()]).toEqual([]);
  });

  it('pin() refuses absent blobs, names without a file name, and ends that are no time', async () => {
    const store = await test.open({ clock });
    const digest = await writeBlob(store, Buffer.from('1'));
    await expect(store.pin('p', [digestOf('absent')], 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    for (const name of ['', 'x'.repeat(PIN_NAME_BYTES_MAX + 1)]) {
      await expect(store.pin(name, [digest], 1)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    await expect(store.pin('p', [digest], Number.NaN)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect([...store.pins()]).toEqual([]);
  });
});
