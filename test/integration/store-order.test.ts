/**
 * The order of system calls in a commit. A killed process loses no page cache, so only the calls themselves can show that
 * a power cut would lose nothing either.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hexOf } from '../../core/oci/digest.ts';
import { blobOf } from '../support/crash/journal.ts';

const WORKER = join(import.meta.dirname, '../support/crash/commit-once.ts');
const CALLS = 'trace=fsync,fdatasync,rename,renameat,renameat2,link,linkat,write,pwrite64,pwritev,pwritev2,writev';

/** strace is missing, or this machine lets nobody trace. */
const noTracer = spawnSync('strace', ['-f', '-e', CALLS, 'true']).status !== 0;
if (noTracer) process.stderr.write('store-order: skipped, strace is missing or may not trace here\n');

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'shoal-order-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Finished system calls in the order of their ends, one line each; interrupted ones are joined. */
function traceCommits(): string[] {
  const trace = join(root, 'trace.txt');
  const store = join(root, 'store');
  const args = ['-f', '-y', '-s', '0', '-e', CALLS, '-o', trace, process.execPath, WORKER, store];
  const { status, stderr } = spawnSync('strace', args, { encoding: 'utf8' });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return joinUnfinished(readFileSync(trace, 'utf8').split('\n'));
}

function joinUnfinished(lines: readonly string[]): string[] {
  const begun = new Map<string, string>();
  const finished: string[] = [];
  for (const line of lines) {
    const [pid = '', rest = ''] = line.split(/\s+(.*)/s);
    if (rest.endsWith('<unfinished ...>')) begun.set(pid, rest.replace('<unfinished ...>', ''));
    else finished.push(rest.replace(/^<\.\.\. \w+ resumed>/, begun.get(pid) ?? ''));
  }
  return finished;
}

/** Index of the only call of `name` that speaks of every one of `words` and succeeded, after `from`. */
function find(calls: readonly string[], name: RegExp, words: readonly string[], from = 0): number {
  const index = calls.findIndex(
    (call, at) => at >= from && name.test(call) && words.every((word) => call.includes(word)) && / = \d/.test(call),
  );
  expect({ name, words, found: index >= 0 }).toEqual({ name, words, found: true });
  return index;
}

(noTracer ? describe.skip : describe)('DiskStore under strace', () => {
  it('commit() of an ingest writes, syncs the data, renames, syncs the directory', () => {
    const calls = traceCommits();
    const hex = hexOf(blobOf('written', 100_000).digest);
    const written = find(calls, /^pwrite/, ['/ingest/', '/data>']);
    const synced = find(calls, /^fsync\(/, ['/ingest/', '/data>'], written);
    const renamed = find(calls, /^rename/, ['/ingest/', `/blobs/sha256/${hex}"`]);
    const directorySynced = find(calls, /^fsync\(/, ['/blobs/sha256>'], renamed);
    expect([written, synced, renamed, directorySynced]).toEqual(
      [written, synced, renamed, directorySynced].toSorted((left, right) => left - right),
    );
  });

  it('commit() of a download does the same for each of its holds', () => {
    const calls = traceCommits();
    const hex = hexOf(blobOf('fetched', 100_000).digest);
    const lastWrite = calls.findLastIndex((call) => /^pwrite/.test(call) && call.includes(`/partial/${hex}/data>`));
    const synced = find(calls, /^fsync\(/, [`/partial/${hex}/data>`]);
    const renamed = find(calls, /^rename/, ['/partial/', `/blobs/sha256/${hex}"`]);
    const linked = find(calls, /^link/, [`/blobs/sha256/${hex}"`, `/shoal/cache/${hex}"`]);
    const blobsSynced = find(calls, /^fsync\(/, ['/blobs/sha256>'], renamed);
    const cacheSynced = find(calls, /^fsync\(/, ['/shoal/cache>'], linked);
    const order = [lastWrite, synced, renamed, linked];
    expect(lastWrite).toBeGreaterThanOrEqual(0);
    expect(order).toEqual(order.toSorted((left, right) => left - right));
    expect(Math.min(blobsSynced, cacheSynced)).toBeGreaterThan(linked);
  });
});
