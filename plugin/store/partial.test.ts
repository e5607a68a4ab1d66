import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf, hexOf } from '../../core/oci/digest.ts';
import { createMemoryStore } from './memory-store.ts';
import type { Store } from './store.ts';
import { createTestRoot, MIB, type TestRoot, writeBlob } from './test-store.ts';

const CACHE = new Set(['cache'] as const);

let test: TestRoot;
beforeEach(() => {
  test = createTestRoot();
});
afterEach(() => test.remove());

describe.each([
  { name: 'DiskStore', create: () => test.open() },
  { name: 'MemoryStore', create: async () => createMemoryStore() },
])('Partial of $name', ({ create }) => {
  let store: Store;
  beforeEach(async () => {
    store = await create();
  });

  async function readBlob(digest: ReturnType<typeof digestOf>): Promise<Buffer> {
    const open = await store.open(digest);
    const into = Buffer.alloc(open.size);
    await open.read(into, 0);
    await open.close();
    return into;
  }

  it.each([
    { name: 'in order', order: (starts: number[]) => starts },
    { name: 'backwards', order: (starts: number[]) => starts.toReversed() },
    { name: 'all at once', order: (starts: number[]) => starts, isAtOnce: true },
  ])('write() $name makes the blob', async ({ order, isAtOnce }) => {
    const bytes = randomBytes(3 * MIB + 17);
    const digest = digestOf(bytes);
    const download = await store.openPartial(digest, bytes.length);
    const starts = order(
      Array.from({ length: 13 }, (_, index) => index * 256 * 1024).filter((at) => at < bytes.length),
    );
    const writes = starts.map((start) => () => download.write(start, bytes.subarray(start, start + 256 * 1024)));
    if (isAtOnce === true) await Promise.all(writes.map((write) => write()));
    else for (const write of writes) await write();
    expect(download.missing(0)).toBeUndefined();
    expect([download.prefixBytes(), download.bytesPresent()]).toEqual([bytes.length, bytes.length]);
    await download.commit(new Set(['containerd', 'cache'] as const));
    expect(store.stat(digest)).toMatchObject({ size: bytes.length, holds: new Set(['containerd', 'cache']) });
    expect((await readBlob(digest)).equals(bytes)).toBe(true);
    expect([...store.partials()]).toEqual([]);
    const late = Buffer.alloc(10);
    expect(await download.read(late, 5)).toBe(10);
    expect(late.equals(bytes.subarray(5, 15))).toBe(true);
  });

  it.each([{ size: 3 * MIB + 17 }, { size: 33 * MIB }])(
    'forget() lets other bytes be written in place of wrong ones, in $size bytes',
    async ({ size }) => {
      const bytes = randomBytes(size);
      const download = await store.openPartial(digestOf(bytes), size);
      const wrong = { start: MIB, end: 2 * MIB };
      await download.write(0, Buffer.from(bytes).fill(7, wrong.start, wrong.end));
      await new Promise((wake) => setTimeout(wake, 5));
      await download.forget(wrong);
      expect([download.bytesPresent(), download.missing(0)]).toEqual([size - MIB, wrong]);
      await download.write(wrong.start, bytes.subarray(wrong.start, wrong.end));
      await download.commit(CACHE);
      expect((await readBlob(digestOf(bytes))).equals(bytes)).toBe(true);
    },
  );

  it('write() keeps the first of two different bytes for one place', async () => {
    const bytes = randomBytes(1000);
    const download = await store.openPartial(digestOf(bytes), 1000);
    await Promise.all([
      download.write(0, bytes.subarray(0, 600)),
      download.write(300, Buffer.concat([Buffer.alloc(300), bytes.subarray(600)])),
    ]);
    await download.write(0, Buffer.alloc(1000));
    await download.commit(CACHE);
    expect((await readBlob(digestOf(bytes))).equals(bytes)).toBe(true);
  });

  it('commit() of wrong bytes answers DATA_LOSS and leaves nothing', async () => {
    const digest = digestOf('what was wanted');
    const download = await store.openPartial(digest, 15);
    await download.write(0, Buffer.from('what was gotten'));
    await expect(download.commit(CACHE)).rejects.toMatchObject({ code: 'DATA_LOSS' });
    expect(store.stat(digest)).toBeUndefined();
    expect([...store.partials()]).toEqual([]);
    await (await store.openPartial(digest, 15)).discard();
  });

  it('commit() that comes too early changes nothing', async () => {
    const download = await store.openPartial(digestOf('ab'), 2);
    await download.write(1, Buffer.from('b'));
    await expect(download.commit(CACHE)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(download.missing(0)).toEqual({ start: 0, end: 1 });
    await download.write(0, Buffer.from('a'));
    await download.commit(CACHE);
  });

  it('an empty blob needs no bytes', async () => {
    const download = await store.openPartial(digestOf(''), 0);
    expect(download.missing(0)).toBeUndefined();
    await download.commit(CACHE);
    expect(store.stat(digestOf(''))?.size).toBe(0);
  });

  it('openPartial() refuses what is whole, open, or no size', async () => {
    const whole = await writeBlob(store, Buffer.from('whole'));
    await expect(store.openPartial(whole, 5)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    const download = await store.openPartial(digestOf('ab'), 2);
    await expect(store.openPartial(digestOf('ab'), 2)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(store.dropPartial(digestOf('ab'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    for (const size of [-1, 1.5, Number.NaN, 2 ** 60]) {
      await expect(store.openPartial(digestOf('size'), size)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    await download.discard();
  });

  it('write() and read() refuse what lies outside or is not there', async () => {
    const download = await store.openPartial(digestOf('abcd'), 4);
    for (const offset of [-1, 3, 0.5]) {
      await expect(download.write(offset, Buffer.from('xx'))).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    }
    await download.write(0, Buffer.from('ab'));
    expect(await download.read(Buffer.alloc(2), 0)).toBe(2);
    await expect(download.read(Buffer.alloc(3), 0)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    await download.close();
    await expect(download.write(2, Buffer.from('c'))).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  });

  it('openPartial() with another size begins again', async () => {
    const download = await store.openPartial(digestOf('size lies'), 5 * MIB);
    await download.write(0, Buffer.alloc(4 * MIB));
    await download.close();
    expect([...store.partials()][0]?.bytesPresent).toBe(4 * MIB);
    const again = await store.openPartial(digestOf('size lies'), 9);
    expect([again.size, again.bytesPresent()]).toEqual([9, 0]);
    await again.discard();
  });
});

describe('Partial of DiskStore over a restart', () => {
  it('resumes whole pieces and proves the whole', async () => {
    const bytes = randomBytes(9 * MIB);
    const digest = digestOf(bytes);
    const store = await test.open();
    const download = await store.openPartial(digest, bytes.length);
    await download.write(8 * MIB, bytes.subarray(8 * MIB));
    await download.write(0, bytes.subarray(0, 4 * MIB + 100));
    await store.stop();
    const again = await test.open();
    expect([...again.partials()]).toEqual([{ digest, size: bytes.length, bytesPresent: 5 * MIB }]);
    const resumed = await again.openPartial(digest, bytes.length);
    expect(resumed.prefixBytes()).toBe(4 * MIB);
    expect(resumed.missing(0)).toEqual({ start: 4 * MIB, end: 8 * MIB });
    await resumed.write(4 * MIB, bytes.subarray(4 * MIB, 8 * MIB));
    await resumed.commit(CACHE);
    expect(again.stat(digest)?.size).toBe(bytes.length);
  });

  it('does not trust bytes that changed on disk', async () => {
    const bytes = randomBytes(8 * MIB);
    const digest = digestOf(bytes);
    const store = await test.open();
    const download = await store.openPartial(digest, bytes.length);
    await download.write(0, bytes.subarray(0, 4 * MIB));
    await store.stop();
    const data = join(test.root, 'shoal/partial', hexOf(digest), 'data');
    writeFileSync(data, Buffer.alloc(8 * MIB, 9));
    const again = await test.open();
    const resumed = await again.openPartial(digest, bytes.length);
    await resumed.write(4 * MIB, bytes.subarray(4 * MIB));
    await expect(resumed.commit(CACHE)).rejects.toMatchObject({ code: 'DATA_LOSS' });
    expect(existsSync(data)).toBe(false);
  });
});
