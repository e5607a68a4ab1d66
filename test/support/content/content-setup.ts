/** A heart over a store in memory and fake sources, with one blob that the sources have. */
import { digestOf } from '../../../core/oci/digest.ts';
import { silentLogger } from '../../../core/runtime/log.ts';
import { noMetrics } from '../../../core/runtime/metrics.ts';
import type { Want } from '../../../plugin/content/blob-source.ts';
import type { ContentReader } from '../../../plugin/content/content.ts';
import { createContent } from '../../../plugin/content/create-content.ts';
import { createMemoryStore } from '../../../plugin/store/memory-store.ts';
import type { Store } from '../../../plugin/store/store.ts';
import { ManualClock, settle } from '../../../plugin/content/fakes/manual-clock.ts';
import { FakeSource } from './fake-source.ts';

export const MIB = 1024 * 1024;

/** Bytes that differ at every place that a bug could mix up. */
function blobOf(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0; at < size; at += 1) bytes[at] = (at * 31 + (at >> 8) * 7) & 0xff;
  return bytes;
}

/** What the store keeps of an unfinished download, it keeps by whole pieces. */
export const PIECE = 4 * MIB;
export const blob = blobOf(2 * PIECE + 12_345);
export const digest = digestOf(blob);
export const want: Want = { digest, size: blob.length, sources: [] };

/** A store in memory that counts what the heart asks of it. */
function countedStore(clock: ManualClock) {
  const counts = { reads: 0, handles: 0 };
  const memory = createMemoryStore({ clock });
  const open: Store['open'] = async (wanted) => {
    const bytes = await memory.open(wanted);
    counts.handles += 1;
    return {
      size: bytes.size,
      read: (into, offset) => {
        counts.reads += 1;
        return bytes.read(into, offset);
      },
      close: async () => {
        counts.handles -= 1;
      },
    };
  };
  return { counts, store: { ...memory, open } };
}

export async function putBlob(store: Store, hold: 'containerd' | 'cache' = 'containerd'): Promise<void> {
  const partial = await store.openPartial(digest, blob.length);
  await partial.write(0, blob);
  await partial.commit(new Set([hold]));
}

export function setUp(sources: FakeSource[] = [new FakeSource('one', blob)]) {
  const clock = new ManualClock();
  const { store, counts } = countedStore(clock);
  const content = createContent({ store, sources, clock, log: silentLogger, metrics: noMetrics });
  return { store, counts, clock, content, sources, source: sources[0] ?? new FakeSource('none', blob) };
}

/** Jest's own comparison of megabytes takes seconds. */
export function isBlob(bytes: Uint8Array): boolean {
  return blob.equals(bytes);
}

export async function readAll(
  content: ContentReader,
  range = {},
  signal = new AbortController().signal,
): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(content.read(digest, range, { signal }), (chunk) => Buffer.from(chunk)));
}

/** The reading of one who calls again and again for a little. */
export async function readByCalls(content: ContentReader, length: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < blob.length; at += length) {
    parts.push(content.readNow(digest, at, length) ?? (await readAll(content, { offset: at, length })));
  }
  return Buffer.concat(parts);
}

/** A gate that opens one write after another. */
export function steps() {
  const waiting: (() => void)[] = [];
  return {
    gate: () => new Promise<void>((resolve) => waiting.push(resolve)),
    async open(count: number) {
      for (let at = 0; at < count; at += 1) {
        await settle();
        waiting.shift()?.();
      }
      await settle();
    },
  };
}
