import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Digest, digestOf, hexOf } from '../../core/oci/digest.ts';
import { codeOf } from '../../core/runtime/errors.ts';
import type { Store } from './store.ts';
import { storeConformance } from './store-conformance.ts';
import { storeFacade } from './store-facade.ts';
import { createHandClock, createTestRoot, type TestRoot, writeBlob } from './test-store.ts';

storeConformance('DiskStore', async () => {
  const test = createTestRoot();
  const store = await test.open();
  return { facade: storeFacade(store), stop: () => test.remove() };
});

let test: TestRoot;
beforeEach(() => {
  test = createTestRoot();
});
afterEach(() => test.remove());

async function codeFrom(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: unknown) => codeOf(error),
  );
}

function holdsOf(store: Store, digest: Digest): string[] {
  return [...(store.stat(digest)?.holds ?? [])];
}

function inode(...path: string[]): number {
  return statSync(join(test.root, ...path)).ino;
}

describe('createDiskStore()', () => {
  it('start() refuses a root that another store has, until it stops', async () => {
    const first = await test.open();
    expect(await codeFrom(test.open())).toBe('FAILED_PRECONDITION');
    await first.stop();
    await test.open();
  });

  it('start() removes what a killed process left and passes over what is not its own', async () => {
    const store = await test.open();
    const digest = await writeBlob(store, Buffer.from('kept'));
    await store.stop();
    const sha512 = join(test.root, 'blobs/sha512');
    mkdirSync(sha512);
    writeFileSync(join(sha512, 'ab'.repeat(64)), 'other algorithm');
    writeFileSync(join(test.root, 'blobs/sha256/README'), 'junk');
    mkdirSync(join(test.root, 'blobs/sha256', 'cd'.repeat(32)));
    writeFileSync(join(test.root, 'shoal/trash/123.4'), 'half');
    mkdirSync(join(test.root, 'ingest', 'ef'.repeat(32)));
    mkdirSync(join(test.root, 'shoal/pins/no-end'));
    mkdirSync(join(test.root, 'shoal/partial', 'ef'.repeat(32)));
    writeFileSync(join(test.root, 'shoal/claims', 'ef'.repeat(32)), '{"size":');
    const again = await test.open();
    expect([...again.list()].map((stat) => stat.digest)).toEqual([digest]);
    for (const folder of ['shoal/trash', 'ingest', 'shoal/pins', 'shoal/partial']) {
      expect(readdirSync(join(test.root, folder))).toEqual([]);
    }
    expect(existsSync(join(sha512, 'ab'.repeat(64)))).toBe(true);
    expect(existsSync(join(test.root, 'blobs/sha256/README'))).toBe(true);
    expect([...again.claims()]).toEqual([]);
  });

  it('start() takes over what the built-in store wrote', async () => {
    const bytes = Buffer.from('written by containerd');
    const digest = digestOf(bytes);
    mkdirSync(join(test.root, 'blobs/sha256'), { recursive: true });
    writeFileSync(join(test.root, 'blobs/sha256', hexOf(digest)), bytes, { mode: 0o444 });
    const ref = 'default/1/layer-sha256:00';
    const ingest = join(test.root, 'ingest', hexOf(digestOf(ref)));
    mkdirSync(ingest, { recursive: true });
    writeFileSync(join(ingest, 'ref'), ref);
    writeFileSync(join(ingest, 'data'), 'first half, ');
    writeFileSync(join(ingest, 'total'), '23');
    // As Go's time.MarshalText writes it: nanoseconds and a zone.
    writeFileSync(join(ingest, 'startedat'), '2026-01-02T03:04:05.123456789+02:00');
    writeFileSync(join(ingest, 'updatedat'), '2026-01-02T03:04:06Z');
    const store = await test.open();
    expect(holdsOf(store, digest)).toEqual(['containerd']);
    const startedAtMs = Date.parse('2026-01-02T01:04:05.123Z');
    expect(await store.ingestStatuses()).toMatchObject([{ ref, offset: 12, total: 23, startedAtMs }]);
    const resumed = await store.openIngest(ref);
    expect(resumed.status().offset).toBe(12);
    await resumed.append(Buffer.from('second half'));
    expect(await resumed.commit({ size: 23 })).toBe(digestOf('first half, second half'));
  });

  it('openIngest() leaves what the built-in store can resume', async () => {
    const store = await test.open();
    const ingest = await store.openIngest('some/ref', { total: 9 });
    await ingest.append(Buffer.from('bytes'));
    await ingest.close();
    const directory = join(test.root, 'ingest', hexOf(digestOf('some/ref')));
    const read = (name: string) => readFileSync(join(directory, name), 'utf8');
    expect(readdirSync(directory).sort()).toEqual(['data', 'ref', 'startedat', 'total', 'updatedat']);
    expect([read('data'), read('ref'), read('total')]).toEqual(['bytes', 'some/ref', '9']);
    for (const name of ['startedat', 'updatedat']) expect(read(name)).toMatch(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{6}Z$/);
  });

  it('commit() makes a read-only file', async () => {
    const store = await test.open();
    const digest = await writeBlob(store, Buffer.from('x'));
    expect(statSync(join(test.root, 'blobs/sha256', hexOf(digest))).mode & 0o777).toBe(0o444);
  });

  it('start() is ready within a second with 10,000 blobs', async () => {
    mkdirSync(join(test.root, 'blobs/sha256'), { recursive: true });
    for (let count = 0; count < 10_000; count += 1) {
      writeFileSync(join(test.root, 'blobs/sha256', hexOf(digestOf(String(count)))), 'x');
    }
    const before = performance.now();
    const store = await test.open();
    const tookMs = performance.now() - before;
    expect([...store.list('containerd')]).toHaveLength(10_000);
    expect(tookMs).toBeLessThan(1000);
  }, 60_000);

  it('openIngest() takes 10,000 refs at once with few descriptors', async () => {
    // In memory where that is possible: sixty thousand small files keep a busy disk for a minute.
    const shared = existsSync('/dev/shm') ? mkdtempSync('/dev/shm/shoal-store-') : undefined;
    await test.remove();
    test = createTestRoot(shared);
    const store = await test.open();
    const before = readdirSync('/proc/self/fd').length;
    const ingests = [];
    for (let count = 0; count < 10_000; count += 1) {
      const ingest = await store.openIngest(`ref-${count}`);
      await ingest.append(Buffer.from('x'));
      ingests.push(ingest);
    }
    expect(readdirSync('/proc/self/fd').length - before).toBeLessThan(600);
    expect(await store.ingestStatuses()).toHaveLength(10_000);
    await ingests[0]?.append(Buffer.from('y'));
    expect(await ingests[0]?.commit({})).toBe(digestOf('xy'));
    await store.stop();
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
  }, 120_000);
});

describe('DiskStore start()', () => {
  /** Runs with a mount of its own; skipped with a word where nothing can be mounted. */
  async function withMount(args: readonly string[], path: string, work: () => Promise<void>): Promise<void> {
    if (spawnSync('mount', [...args, path]).status !== 0) {
      process.stderr.write('disk-store: skipped, nothing can be mounted here (needs root)\n');
      return;
    }
    try {
      await work();
    } finally {
      spawnSync('umount', [path]);
    }
  }

  it('refuses a read-only directory by its name', async () => {
    const store = await test.open();
    await store.stop();
    await withMount(['-t', 'tmpfs', '-o', 'ro', 'tmpfs'], test.root, async () => {
      await expect(test.open()).rejects.toMatchObject({
        code: 'FAILED_PRECONDITION',
        message: expect.stringContaining(test.root),
      });
    });
  });

  it('refuses a root whose blobs are on another mount, naming both', async () => {
    const store = await test.open();
    await store.stop();
    const blobs = join(test.root, 'blobs/sha256');
    await withMount(['--bind', blobs], blobs, async () => {
      const both = new RegExp(`${join(test.root, 'shoal/cache')}.*${blobs}`);
      await expect(test.open()).rejects.toMatchObject({
        code: 'FAILED_PRECONDITION',
        message: expect.stringMatching(both),
      });
    });
  });
});

describe('DiskStore holds', () => {
  it('release() links the blob for the cache and keeps its one inode', async () => {
    const store = await test.open();
    const digest = await writeBlob(store, Buffer.from('layer'));
    const before = inode('blobs/sha256', hexOf(digest));
    await store.release(digest, 'containerd');
    expect(holdsOf(store, digest)).toEqual(['cache']);
    expect(existsSync(join(test.root, 'blobs/sha256', hexOf(digest)))).toBe(false);
    expect(inode('shoal/cache', hexOf(digest))).toBe(before);
    await store.hold(digest, 'containerd');
    expect(holdsOf(store, digest)).toEqual(['containerd', 'cache']);
    expect(inode('blobs/sha256', hexOf(digest))).toBe(before);
  });

  it('release() keeps nothing when told so or when the cache has no room at all', async () => {
    const store = await test.open({ limits: { capacityBytes: 10 } });
    const small = await writeBlob(store, Buffer.from('small'));
    const large = await writeBlob(store, Buffer.from('larger than ten'));
    await store.release(small, 'containerd', { keep: false });
    await store.release(large, 'containerd');
    await store.release(digestOf('absent'), 'containerd');
    expect([...store.list()]).toEqual([]);
  });

  it('open() reads on after the blob is deleted', async () => {
    const store = await test.open();
    const digest = await writeBlob(store, Buffer.from('still here'));
    const open = await store.open(digest);
    await store.release(digest, 'containerd', { keep: false });
    const into = Buffer.alloc(10);
    expect(await open.read(into, 0)).toBe(10);
    expect(into.toString()).toBe('still here');
    await open.close();
    expect(await codeFrom(store.open(digest))).toBe('NOT_FOUND');
  });

  it('commit() links a blob that only the cache held', async () => {
    const store = await test.open();
    const digest = await writeBlob(store, Buffer.from('again'));
    await store.release(digest, 'containerd');
    const ingest = await store.openIngest('second');
    await ingest.append(Buffer.from('again'));
    expect(await codeFrom(ingest.commit({}))).toBe('ALREADY_EXISTS');
    expect(holdsOf(store, digest)).toEqual(['containerd', 'cache']);
    expect(await store.ingestStatuses()).toEqual([]);
  });

  it('touch() is kept over a restart and leaves the time of creation', async () => {
    const clock = createHandClock(Date.now());
    const store = await test.open({ clock });
    const digest = await writeBlob(store, Buffer.from('used'));
    const createdAtMs = store.stat(digest)?.createdAtMs ?? 0;
    await clock.advance(60_000);
    store.touch(digest);
    await store.stop();
    const again = await test.open({ clock });
    expect(again.stat(digest)?.usedAtMs).toBeCloseTo(createdAtMs + 60_000, 0);
    expect(again.stat(digest)?.createdAtMs).toBeCloseTo(createdAtMs, 0);
  });

  it('labels are kept over a restart and end with containerd’s hold', async () => {
    const store = await test.open();
    const digest = await writeBlob(store, Buffer.from('labelled'));
    await store.setLabels(digest, new Map([['k', 'v']]));
    await store.stop();
    const again = await test.open();
    expect(again.labels(digest)).toEqual(new Map([['k', 'v']]));
    await again.release(digest, 'containerd');
    expect(again.labels(digest).size).toBe(0);
    expect(readdirSync(join(test.root, 'shoal/labels'))).toEqual([]);
  });

  it('openIngest() of data that a failed commit left read-only writes again', async () => {
    const store = await test.open();
    const ingest = await store.openIngest('r');
    await ingest.append(Buffer.from('ab'));
    await ingest.close();
    const data = join(test.root, 'ingest', hexOf(digestOf('r')), 'data');
    chmodSync(data, 0o444);
    const again = await store.openIngest('r');
    expect(statSync(data).mode & 0o777).toBe(0o644);
    await again.close();
  });
});
