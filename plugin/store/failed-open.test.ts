/** Files that were opened and then fail: nothing may keep their descriptors. */
import { readdirSync, readlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { createTestRoot, type TestRoot, writeBlob } from './test-store.ts';

const BYTES = Buffer.alloc(1000, 1);

/** Runs `work` while no open file can be asked for this. */
async function withFailing(method: 'stat' | 'chmod', work: () => Promise<void>): Promise<void> {
  const handle = await open(tmpdir());
  const prototype: Record<'stat' | 'chmod', () => Promise<unknown>> = Object.getPrototypeOf(handle);
  await handle.close();
  const real = { stat: prototype.stat, chmod: prototype.chmod };
  prototype[method] = () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }));
  try {
    await work();
  } finally {
    Object.assign(prototype, real);
  }
}

/** Descriptors of files below a directory. */
function openBelow(root: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(join('/proc/self/fd', fd));
      return path.startsWith(root) && path.endsWith('data') ? [path] : [];
    } catch {
      return [];
    }
  });
}

describe('a file that fails once it is open', () => {
  let test: TestRoot;
  beforeEach(() => {
    test = createTestRoot();
  });
  afterEach(() => test.remove());

  it('is closed when it is a download, which can be opened afterwards', async () => {
    const store = await test.open();
    const digest = digestOf(BYTES);
    await withFailing('chmod', async () => {
      await expect(store.openPartial(digest, BYTES.length)).rejects.toThrow('cannot be opened');
    });
    expect(openBelow(test.root)).toEqual([]);
    const partial = await store.openPartial(digest, BYTES.length);
    expect(openBelow(test.root)).toHaveLength(1);
    await partial.discard();
  });

  it('is closed when it is a blob', async () => {
    const store = await test.open();
    const digest = await writeBlob(store, BYTES);
    const before = readdirSync('/proc/self/fd').length;
    await withFailing('stat', async () => {
      await expect(store.open(digest)).rejects.toThrow('EIO');
    });
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
  });
});
