/**
 * A disk that is really full, and one that really turns read-only: small file systems, mounted for the test. Needs root; says
 * so where it has to skip.
 */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { digestOf, hexOf } from '../../core/oci/digest.ts';
import { codeOf } from '../../core/runtime/errors.ts';
import { createTestRoot, MIB, type TestRoot } from './test-store.ts';

interface Mounted {
  path: string;
  remove(): void;
}

function run(command: string, ...args: string[]): boolean {
  return spawnSync(command, args).status === 0;
}

function mountTmpfs(options: string): Mounted | undefined {
  const path = mkdtempSync(join(tmpdir(), 'shoal-full-'));
  const remove = () => {
    run('umount', path);
    rmSync(path, { recursive: true, force: true });
  };
  if (run('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', path)) return { path, remove };
  remove();
  return undefined;
}

/** A file system whose directories take blocks, so that a rename can find the disk full. */
function mountExt4(sizeBytes: number): Mounted | undefined {
  const path = mkdtempSync(join(tmpdir(), 'shoal-full-'));
  const image = `${path}.img`;
  const remove = () => {
    run('umount', path);
    rmSync(path, { recursive: true, force: true });
    rmSync(image, { force: true });
  };
  writeFileSync(image, '');
  truncateSync(image, sizeBytes);
  const isMade = run('mkfs.ext4', '-q', '-b', '1024', '-m', '0', '-O', '^has_journal', image);
  if (isMade && run('mount', '-o', 'loop,errors=remount-ro', image, path)) return { path, remove };
  remove();
  return undefined;
}

/** What the kernel does when it finds an error on the disk. @returns false where it cannot be asked to */
function turnReadOnly(path: string): boolean {
  const device = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .find((line) => line.split(' ')[1] === path)
    ?.split(' ')[0];
  try {
    writeFileSync(`/sys/fs/ext4/${basename(device ?? '')}/trigger_fs_error`, '1');
    return true;
  } catch {
    return false;
  }
}

const canMount = (() => {
  const probe = mountTmpfs('size=1m');
  probe?.remove();
  return probe !== undefined;
})();
if (!canMount) process.stderr.write('full-disk: skipped, nothing can be mounted here (needs root)\n');

async function codeFrom(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: unknown) => codeOf(error),
  );
}

/** Takes every free block with one file. */
function fill(path: string): void {
  const file = openSync(join(path, 'fill'), 'a');
  for (const size of [256 * 1024, 1024]) while (tryAppend(file, size));
  closeSync(file);
}

function tryAppend(file: number, size: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(size)) === size;
  } catch {
    return false;
  }
}

function empty(path: string): void {
  rmSync(join(path, 'fill'), { force: true });
}

/** Mounting, filling and syncing on a busy machine. */
const TEST_TIMEOUT_MS = 60_000;

(canMount ? describe : describe.skip)('DiskStore on a full disk', () => {
  let mounted: Mounted | undefined;
  let test: TestRoot | undefined;
  afterEach(async () => {
    await test?.remove();
    mounted?.remove();
  });

  it('append() answers RESOURCE_EXHAUSTED and stays at its last whole offset', async () => {
    mounted = mountTmpfs('size=8m');
    test = createTestRoot(join(mounted?.path ?? '', 'store'));
    const store = await test.open();
    const ingest = await store.openIngest('big', { total: 12 * MIB });
    const chunk = Buffer.alloc(3 * MIB, 7);
    await ingest.append(chunk);
    await ingest.append(chunk);
    expect(await codeFrom(ingest.append(chunk))).toBe('RESOURCE_EXHAUSTED');
    expect(ingest.status().offset).toBe(6 * MIB);
    expect(statSync(join(test.root, 'ingest', hexOf(digestOf('big')), 'data')).size).toBe(6 * MIB);
    const small = Buffer.from('fits');
    await ingest.append(small);
    const whole = digestOf(Buffer.concat([chunk, chunk, small]));
    expect(await ingest.commit({ size: 6 * MIB + 4, expected: whole })).toBe(whole);
  });

  it('append() takes the room that eviction can make', async () => {
    mounted = mountTmpfs('size=8m');
    test = createTestRoot(join(mounted?.path ?? '', 'store'));
    const store = await test.open();
    const old = await store.openIngest('old');
    await old.append(Buffer.alloc(5 * MIB, 1));
    const evictable = await old.commit({});
    await store.release(evictable, 'containerd');
    expect(store.stat(evictable)?.holds).toEqual(new Set(['cache']));
    const ingest = await store.openIngest('new');
    await ingest.append(Buffer.alloc(5 * MIB, 2));
    expect(await ingest.commit({})).toBe(digestOf(Buffer.alloc(5 * MIB, 2)));
    expect(store.stat(evictable)).toBeUndefined();
  });

  it('openIngest(), openPartial() and putClaim() leave nothing behind when they fail', async () => {
    mounted = mountTmpfs('size=8m,nr_inodes=60');
    test = createTestRoot(join(mounted?.path ?? '', 'store'));
    const store = await test.open();
    const codes = new Set<string>();
    for (let count = 0; count < 30; count += 1) {
      codes.add(await codeFrom(store.openIngest(`ref ${count}`)));
      codes.add(await codeFrom(store.openPartial(digestOf(`partial ${count}`), 10)));
      codes.add(await codeFrom((async () => store.putClaim(claimOf(`claim ${count}`)))()));
    }
    expect(codes).toEqual(new Set(['no error', 'RESOURCE_EXHAUSTED']));
    await store.stop();
    const count = (folder: string) => readdirSync(join(test?.root ?? '', folder)).length;
    expect(count('ingest')).toBe((await store.ingestStatuses()).length);
    expect(count('shoal/partial')).toBe([...store.partials()].length);
    expect(count('shoal/claims')).toBe([...store.claims()].length);
    expect(count('shoal/trash')).toBe(0);
  });

  it('openPartial() and write() answer RESOURCE_EXHAUSTED', async () => {
    mounted = mountTmpfs('size=8m');
    test = createTestRoot(join(mounted?.path ?? '', 'store'));
    const store = await test.open();
    const bytes = Buffer.alloc(6 * MIB, 3);
    expect(await codeFrom(store.openPartial(digestOf('too large'), 20 * MIB))).toBe('RESOURCE_EXHAUSTED');
    const download = await store.openPartial(digestOf(bytes), bytes.length);
    fill(mounted?.path ?? '');
    expect(await codeFrom(download.write(0, bytes))).toBe('RESOURCE_EXHAUSTED');
    empty(mounted?.path ?? '');
    const gap = download.missing(0);
    await download.write(gap?.start ?? 0, bytes.subarray(gap?.start ?? 0));
    await download.commit(new Set(['cache']));
    expect(store.stat(digestOf(bytes))?.size).toBe(bytes.length);
  });

  it(
    'commit() shows nothing and keeps the ingest when the directory finds no block',
    async () => {
      mounted = mountExt4(8 * MIB);
      if (mounted === undefined) {
        process.stderr.write('full-disk: commit skipped, no loop device or mkfs.ext4 here\n');
        return;
      }
      test = createTestRoot(join(mounted.path, 'store'));
      const store = await test.open();
      const failed = await commitUntilFull(store, mounted.path);
      expect(failed.code).toBe('RESOURCE_EXHAUSTED');
      expect(store.stat(failed.digest)).toBeUndefined();
      expect(existsSync(join(test.root, 'blobs/sha256', hexOf(failed.digest)))).toBe(false);
      expect(await store.ingestStatus(failed.ref)).toMatchObject({ offset: failed.size });
      empty(mounted.path);
      const again = await store.openIngest(failed.ref);
      expect(await again.commit({ size: failed.size, expected: failed.digest })).toBe(failed.digest);
    },
    TEST_TIMEOUT_MS,
  );
});

(canMount ? describe : describe.skip)('DiskStore on a disk that turns read-only', () => {
  it(
    'append() and commit() answer FAILED_PRECONDITION, and nothing of it becomes a blob',
    async () => {
      const mounted = mountExt4(8 * MIB);
      if (mounted === undefined) {
        process.stderr.write('full-disk: read-only skipped, no loop device or mkfs.ext4 here\n');
        return;
      }
      const test = createTestRoot(join(mounted.path, 'store'));
      try {
        const store = await test.open();
        const bytes = Buffer.alloc(MIB, 5);
        const committed = await writeBlob(store, 'before', Buffer.from('before'));
        const ingest = await store.openIngest('ref');
        await ingest.append(bytes);
        if (!turnReadOnly(mounted.path)) {
          process.stderr.write('full-disk: read-only skipped, the kernel gives no trigger_fs_error\n');
          return;
        }
        expect(await codeFrom(ingest.append(bytes))).toBe('FAILED_PRECONDITION');
        expect(await codeFrom(ingest.commit({ expected: digestOf(bytes) }))).toBe('FAILED_PRECONDITION');
        expect(store.stat(digestOf(bytes))).toBeUndefined();
        expect(existsSync(join(test.root, 'blobs/sha256', hexOf(digestOf(bytes))))).toBe(false);
        expect(store.stat(committed)?.size).toBe(6);
        expect(await codeFrom(store.openIngest('other'))).toBe('FAILED_PRECONDITION');
      } finally {
        await test.remove().catch(() => undefined);
        mounted.remove();
      }
    },
    TEST_TIMEOUT_MS,
  );
});

async function writeBlob(store: Awaited<ReturnType<TestRoot['open']>>, ref: string, bytes: Uint8Array) {
  const ingest = await store.openIngest(ref);
  await ingest.append(bytes);
  return ingest.commit({});
}

function claimOf(name: string) {
  return { digest: digestOf(name), size: 1, sources: [], claimedAtMs: 0 };
}

async function commitUntilFull(store: Awaited<ReturnType<TestRoot['open']>>, path: string) {
  for (let count = 0; count < 60; count += 1) {
    const ref = `ref-${count}`;
    const bytes = Buffer.from(ref);
    const ingest = await store.openIngest(ref);
    await ingest.append(bytes);
    fill(path);
    const code = await codeFrom(ingest.commit({}));
    if (code !== 'no error') return { code, ref, digest: digestOf(bytes), size: bytes.length };
    empty(path);
  }
  throw new Error('The directory never needed a block');
}
