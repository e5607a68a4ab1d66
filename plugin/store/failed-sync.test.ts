/** A sync that fails: the kernel tells of lost bytes once, and whoever opens the file next would never know. */
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { SYNC_EVERY_BYTES } from './ingest.ts';
import { createTestRoot, type TestRoot } from './test-store.ts';

/** Runs `work` on a disk that loses what it is to sync. */
async function withFailingSync(work: () => Promise<void>): Promise<void> {
  const handle = await open(tmpdir());
  const prototype: Pick<FileHandle, 'datasync'> = Object.getPrototypeOf(handle);
  await handle.close();
  const real = prototype.datasync;
  prototype.datasync = () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }));
  try {
    await work();
  } finally {
    prototype.datasync = real;
  }
}

describe('close() after a sync that failed', () => {
  let test: TestRoot;
  beforeEach(() => {
    test = createTestRoot();
  });
  afterEach(() => test.remove());

  it('gives a download up, so that it begins again from nothing', async () => {
    const store = await test.open();
    const bytes = Buffer.alloc(100_000, 1);
    const partial = await store.openPartial(digestOf(bytes), bytes.length);
    await partial.write(0, bytes);
    await withFailingSync(() => partial.close());
    expect([...store.partials()]).toEqual([]);
  });

  it('lets the next writer of a ref begin at 0', async () => {
    const store = await test.open();
    const ingest = await store.openIngest('ref');
    await withFailingSync(async () => {
      await ingest.append(Buffer.alloc(SYNC_EVERY_BYTES, 1));
      await ingest.close();
    });
    expect((await store.openIngest('ref')).status().offset).toBe(0);
  });

  it('also when the commit failed for another reason', async () => {
    const store = await test.open();
    const ingest = await store.openIngest('ref');
    await withFailingSync(async () => {
      await ingest.append(Buffer.alloc(SYNC_EVERY_BYTES, 1));
      await expect(ingest.commit({ size: 5 })).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    });
    expect((await store.openIngest('ref')).status().offset).toBe(0);
  });
});
