/**
 * Uses a store at full speed until it is killed: `node worker.ts ROOT SEED`. Some lanes run at once, so that a kill falls
 * into several things half done.
 */
import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import type { Digest } from '../../../core/oci/digest.ts';
import { systemClock } from '../../../core/runtime/clock.ts';
import { isCode } from '../../../core/runtime/errors.ts';
import { silentLogger } from '../../../core/runtime/log.ts';
import { noMetrics } from '../../../core/runtime/metrics.ts';
import { createDiskStore } from '../../../plugin/store/disk-store.ts';
import { blobOf, CRASH_LIMITS, type JournalLine, seededRandom } from './journal.ts';

const LANES = 4;
const [, , root = '', seedText = '0'] = process.argv;
const random = seededRandom(Number(seedText));
const store = createDiskStore(
  { root, limits: CRASH_LIMITS, clock: systemClock, log: silentLogger, metrics: noMetrics },
  { upkeepEveryMs: 20 },
);
/** What a lane works on is no other lane's, so that the journal's order is the order of what happened. */
const busy = new Set<string>();
let count = 0;

function tell(line: JournalLine): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

function pick<T>(items: readonly T[]): T | undefined {
  return items[Math.floor(random() * items.length)];
}

function freshId(): string {
  count += 1;
  return `${seedText}-${count}`;
}

async function alone(key: string, work: () => Promise<void>): Promise<void> {
  if (busy.has(key)) return;
  busy.add(key);
  try {
    await work();
  } finally {
    busy.delete(key);
  }
}

async function ingest(): Promise<void> {
  const left = random() < 0.4 ? pick(await store.ingestStatuses()) : undefined;
  const ref = left?.ref ?? `${freshId()} ${Math.floor(random() * 60_000)}`;
  await alone(ref, async () => {
    const [id = '', sizeText = '0'] = ref.split(' ');
    const { bytes, digest } = blobOf(id, Number(sizeText));
    tell({ will: 'use-ingest', ref });
    const writer = await store.openIngest(ref, { total: bytes.length });
    const parts = 1 + Math.floor(random() * 3);
    for (let part = 0; part < parts; part += 1) {
      const { offset } = writer.status();
      const end = part === parts - 1 ? bytes.length : offset + Math.floor(random() * (bytes.length - offset));
      await writer.append(bytes.subarray(offset, end));
    }
    if (random() < 0.3) return closeEarly(ref, writer);
    await alone(digest, async () => {
      tell({ will: 'hold', digest });
      await writer.commit({ size: bytes.length, expected: digest });
      tell({ did: 'commit', id, size: bytes.length, holds: ['containerd'] });
    });
    await writer.close();
  });
}

async function closeEarly(ref: string, writer: Awaited<ReturnType<typeof store.openIngest>>): Promise<void> {
  const { offset } = writer.status();
  const [id = '', sizeText = '0'] = ref.split(' ');
  await writer.close();
  tell({ did: 'close-ingest', ref, id, size: Number(sizeText), offset });
}

/** Names of downloads are reused, so that those left behind are taken up again. */
async function partial(): Promise<void> {
  const id = `partial-${Math.floor(random() * 40)}`;
  const size = random() < 0.85 ? 1000 + Number(id.slice(8)) : 9 * 1024 * 1024;
  const { bytes, digest } = blobOf(id, size);
  await alone(digest, async () => {
    tell({ will: 'use-partial', id: `${id}/${size}` });
    const download = await store.openPartial(digest, size);
    const step = Math.ceil(size / 9);
    const starts = Array.from({ length: 9 }, (_, index) => index * step).sort(() => random() - 0.5);
    const wanted = random() < 0.3 ? starts.slice(0, 7) : starts;
    await Promise.all(
      wanted.map((start) => download.write(start, bytes.subarray(start, Math.min(size, start + step)))),
    );
    if (download.bytesPresent() < size) {
      await download.close();
      const kept = [...store.partials()].find((one) => one.digest === digest);
      return tell({ did: 'close-partial', id: `${id}/${size}`, size, bytes: kept?.bytesPresent ?? 0 });
    }
    const holds = pick([['cache'], ['containerd'], ['containerd', 'cache']] as const) ?? ['cache'];
    tell({ will: 'hold', digest });
    await download.commit(new Set(holds));
    tell({ did: 'commit', id, size, holds });
  });
}

async function claim(): Promise<void> {
  const known = random() < 0.5 ? pick([...store.claims()]) : undefined;
  const digest = known?.digest ?? blobOf(freshId(), 10).digest;
  await alone(`claim ${digest}`, async () => {
    if (known === undefined) {
      const sources = [{ registry: 'registry.example', repository: 'some/image' }];
      store.putClaim({ digest, size: digest.charCodeAt(10), sources, claimedAtMs: Date.now() });
      return tell({ did: 'claim', digest, size: digest.charCodeAt(10) });
    }
    tell({ will: 'unclaim', digest });
    store.removeClaim(digest);
    tell({ did: 'unclaim', digest });
  });
}

async function pin(): Promise<void> {
  const name = `pin/${Math.floor(random() * 6)}`;
  await alone(name, async () => {
    if (random() < 0.4) {
      tell({ will: 'unpin', name });
      await store.unpin(name);
      return tell({ did: 'unpin', name });
    }
    const digests = [pickDigest(), pickDigest()].filter((digest) => digest !== undefined);
    const untilMs = Date.now() + 3_600_000;
    tell({ will: 'pin', name });
    await store.pin(name, digests, untilMs);
    tell({ did: 'pin', name, digests, untilMs });
  });
}

function pickDigest(hold?: 'containerd' | 'cache'): Digest | undefined {
  return pick([...store.list(hold)])?.digest;
}

async function hold(): Promise<void> {
  const digest = pickDigest('cache');
  if (digest === undefined) return;
  await alone(digest, async () => {
    tell({ will: 'hold', digest });
    await store.hold(digest, 'containerd');
    tell({ did: 'hold', digest });
  });
}

async function release(): Promise<void> {
  const digest = pickDigest('containerd');
  if (digest === undefined) return;
  const keep = random() < 0.5;
  await alone(digest, async () => {
    tell({ will: 'release', digest, keep });
    await store.release(digest, 'containerd', { keep });
    tell({ did: 'release', digest });
  });
}

async function evict(): Promise<void> {
  await store.evictTo(Math.floor(random() * CRASH_LIMITS.capacityBytes));
}

/** Lanes meet each other at blobs that come and go: these answers are part of the game. */
const EXPECTED = ['NOT_FOUND', 'ALREADY_EXISTS', 'UNAVAILABLE'] as const;

async function lane(): Promise<void> {
  const work = [ingest, ingest, ingest, partial, partial, claim, pin, hold, release, release, evict];
  for (;;) {
    try {
      await (pick(work) ?? ingest)();
    } catch (error) {
      if (!isCode(error, ...EXPECTED)) throw error;
    }
  }
}

await store.start({ signal: new AbortController().signal });
// Who is killed writes nothing at its end: the next one is to start faster all the same.
flushCompileCache();
tell({ did: 'ready' });
await Promise.all(Array.from({ length: LANES }, lane));
