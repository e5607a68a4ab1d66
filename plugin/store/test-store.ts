/** Stores on temporary roots for this module's own tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../core/runtime/clock.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import { noMetrics } from '../../core/runtime/metrics.ts';
import { createDiskStore, type DiskStoreOptions } from './disk-store.ts';
import type { Store, StoreLimits } from './store.ts';

export const MIB = 1024 * 1024;

export const TEST_LIMITS: StoreLimits = {
  capacityBytes: 2 ** 30,
  highWatermark: 0.9,
  lowWatermark: 0.7,
  minFreeBytes: 0,
};

export interface TestRoot {
  readonly root: string;
  /** A started store on the root; its upkeep rests unless options say otherwise. */
  open(options?: DiskStoreOptions & { limits?: Partial<StoreLimits>; clock?: Clock }): Promise<Store>;
  /** Stops every store that was opened and removes the root. */
  remove(): Promise<void>;
}

export function createTestRoot(directory?: string): TestRoot {
  const root = directory ?? mkdtempSync(join(tmpdir(), 'shoal-store-'));
  const opened: Store[] = [];
  return {
    root,
    async open(options = {}) {
      const limits = { ...TEST_LIMITS, ...options.limits };
      const deps = { root, limits, clock: options.clock ?? systemClock, log: silentLogger, metrics: noMetrics };
      const store = createDiskStore(deps, { upkeepEveryMs: 60_000, ...options });
      await store.start({ signal: new AbortController().signal });
      opened.push(store);
      return store;
    },
    async remove() {
      for (const store of opened) await store.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** A clock that moves only when it is told to; whoever sleeps wakes when its time has come. */
export interface HandClock extends Clock {
  advance(ms: number): Promise<void>;
}

export function createHandClock(startMs = 1_700_000_000_000): HandClock {
  let now = startMs;
  const sleepers = new Set<{ at: number; wake: () => void }>();
  return {
    now: () => now,
    monotonicMs: () => now - startMs,
    sleep: (ms, options) =>
      new Promise((resolve, reject) => {
        const signal = options?.signal;
        if (signal?.aborted === true) return reject(signal.reason);
        const sleeper = { at: now + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => sleepers.delete(sleeper) && reject(signal.reason), { once: true });
      }),
    async advance(ms) {
      now += ms;
      for (const sleeper of [...sleepers]) {
        if (sleeper.at > now) continue;
        sleepers.delete(sleeper);
        sleeper.wake();
      }
      // What woke does its file work on the pool: give it real time.
      await new Promise((resolve) => setTimeout(resolve, 30));
    },
  };
}

/** Writes a blob as containerd would. */
export async function writeBlob(store: Store, bytes: Uint8Array, ref = `ref ${Math.random()}`) {
  const ingest = await store.openIngest(ref, { total: bytes.length });
  await ingest.append(bytes);
  return ingest.commit({ size: bytes.length });
}
