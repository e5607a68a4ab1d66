import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { digestOf, hexOf } from '../../core/oci/digest.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import { createMetrics } from '../../core/runtime/metrics.ts';
import { FakeSource, untilAborted } from '../../test/support/content/fake-source.ts';
import { createDiskStore } from '../store/disk-store.ts';
import type { Partial } from '../store/partial-store.ts';
import { writeBlob } from '../store/test-store.ts';
import { createContent } from './create-content.ts';

const blob = randomBytes(24 * 1024 * 1024 + 333);
const digest = digestOf(blob);
const want = { digest, size: blob.length, sources: [] };
const { signal } = new AbortController();

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function setUp(afterCommit?: () => Promise<void>) {
  const root = await mkdtemp(join(tmpdir(), 'shoal-content-'));
  cleanUps.push(() => rm(root, { recursive: true, force: true }));
  return { root, ...(await open(root, afterCommit)) };
}

/** The same download, whose commit lasts longer than it takes the blob to be there. */
function withCommitBefore(partial: Partial, after: (() => Promise<void>) | undefined): Partial {
  return {
    ...{ digest: partial.digest, size: partial.size, pieceSizeBytes: partial.pieceSizeBytes },
    prefixBytes: () => partial.prefixBytes(),
    bytesPresent: () => partial.bytesPresent(),
    missing: (from) => partial.missing(from),
    write: (offset, bytes) => partial.write(offset, bytes),
    read: (into, offset) => partial.read(into, offset),
    forget: (range) => partial.forget(range),
    commit: async (holds) => {
      await partial.commit(holds);
      await after?.();
    },
    close: () => partial.close(),
    discard: () => partial.discard(),
  };
}

async function open(root: string, afterCommit?: () => Promise<void>) {
  const limits = { capacityBytes: 2 ** 30, highWatermark: 0.9, lowWatermark: 0.7, minFreeBytes: 0 };
  const metrics = createMetrics({ process: false });
  const deps = { clock: systemClock, log: silentLogger, metrics };
  const store = createDiskStore({ ...deps, root, limits });
  await store.start({ signal });
  const source = new FakeSource('one', blob);
  const openPartial: typeof store.openPartial = async (...args) =>
    withCommitBefore(await store.openPartial(...args), afterCommit);
  const content = createContent({ store: { ...store, openPartial }, sources: [source], ...deps });
  const stop = async () => {
    await content.stop();
    await store.stop();
  };
  cleanUps.push(stop);
  return { store, source, content, metrics, stop };
}

type Opened = Awaited<ReturnType<typeof open>>;

async function hashByCalls({ content }: Opened, length: number): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < blob.length; at += length) {
    const now = content.readNow(digest, at, length);
    if (now !== undefined) hash.update(now);
    else for await (const chunk of content.read(digest, { offset: at, length }, { signal })) hash.update(chunk);
  }
  return `sha256:${hash.digest('hex')}`;
}

async function hashAll({ content }: Opened): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of content.read(digest, {}, { signal })) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}

describe('createContent() on the disk store', () => {
  for (const length of [32_768, blob.length]) {
    it(`ends a reader by ${length} bytes that has more to read when the node stops`, async () => {
      const opened = await setUp();
      const { content, source } = opened;
      source.gate = (offset, aborting) => (offset >= blob.length / 2 ? untilAborted(aborting) : undefined);
      const flight = content.fetch(want, 'cache');
      while (flight.status().bytesPresent < blob.length / 2) await systemClock.sleep(1);
      let at = 0;
      const readOn = async () => {
        for (; at < blob.length; at += length)
          for await (const _ of content.read(digest, { offset: at, length }, { signal })) await Promise.resolve();
      };
      const reading = readOn();
      await systemClock.sleep(1);
      const stopping = opened.stop();
      await expect(reading).rejects.toMatchObject({ code: expect.stringMatching(/^(CANCELLED|NOT_FOUND)$/) });
      await expect(flight.done).rejects.toMatchObject({ code: 'CANCELLED' });
      await stopping;
    });
  }

  it('gives every reader the blob, during the flight, across its commit and after it', async () => {
    const opened = await setUp();
    const { content, metrics, store } = opened;
    const flight = content.fetch(want, 'containerd');
    const hashes = await Promise.all([
      hashAll(opened),
      hashByCalls(opened, 32_768),
      hashAll(opened),
      hashByCalls(opened, 50_001),
    ]);
    await flight.done;
    hashes.push(await hashByCalls(opened, 32_768), await hashAll(opened));
    expect(new Set(hashes)).toEqual(new Set([digest]));
    expect(store.stat(digest)?.holds.has('containerd')).toBe(true);
    const { text } = await metrics.scrape();
    expect(text).toMatch(/shoal_reads_total\{source="flight"\} [1-9]/);
    expect(text).toMatch(/shoal_reads_total\{source="disk"\} [1-9]/);
    expect(text).toMatch(/shoal_pieces_total\{source="one",result="proven"\} 25/);
    expect(text).toMatch(/shoal_fetch_seconds_count 1/);
    expect(text).toMatch(/shoal_flights 0/);
  });

  it('gives the last bytes of a blob that is on the disk to a reader whose flight is not over', async () => {
    const { content, store } = await setUp(() => systemClock.sleep(100));
    const flight = content.fetch(want, 'containerd');
    const length = 32_768;
    const readAt = (offset: number) => buffer(content.read(digest, { offset, length }, { signal }));
    await readAt(0);
    while (store.stat(digest) === undefined) await systemClock.sleep(1);
    expect(flight.status().bytesPresent).toBe(blob.length);
    const tail = blob.length - (blob.length % length);
    expect((await readAt(tail)).equals(blob.subarray(tail))).toBe(true);
    await flight.done;
  });

  it('ends a small read with DATA_LOSS where somebody has cut the file of the blob', async () => {
    const { root, content, store } = await setUp();
    const small = randomBytes(100_000);
    const cut = await writeBlob(store, small);
    await truncate(join(root, 'blobs', 'sha256', hexOf(cut)), 40_000);
    const late = AbortSignal.timeout(2_000);
    const reading = buffer(content.read(cut, { offset: 32_768, length: 32_768 }, { signal: late }));
    await expect(reading).rejects.toMatchObject({ code: 'DATA_LOSS' });
  });

  it('goes on after a restart with what is missing', async () => {
    const first = await setUp();
    const half = 12 * 1024 * 1024;
    first.source.gate = (offset, flightSignal) =>
      offset < half
        ? undefined
        : new Promise((_, reject) => flightSignal.addEventListener('abort', () => reject(flightSignal.reason)));
    const flight = first.content.fetch(want, 'cache');
    while (flight.status().bytesPresent < half) await systemClock.sleep(5);
    await first.stop();
    cleanUps.pop();
    const second = await open(first.root);
    await second.content.fetch(want, 'cache').done;
    expect(second.source.sent.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(blob.length - half);
    expect(await hashAll(second)).toBe(digest);
  });
});
