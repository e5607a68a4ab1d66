import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../core/runtime/clock.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import { noMetrics } from '../../core/runtime/metrics.ts';
import { createDiskStore } from './disk-store.ts';
import { storeConformance } from './store-conformance.ts';
import { storeFacade } from './store-facade.ts';

const LIMITS = { capacityBytes: 2 ** 30, highWatermark: 0.9, lowWatermark: 0.7, minFreeBytes: 0 };

storeConformance('DiskStore', async () => {
  const root = mkdtempSync(join(tmpdir(), 'shoal-store-'));
  const store = createDiskStore({ root, limits: LIMITS, clock: systemClock, log: silentLogger, metrics: noMetrics });
  await store.start({ signal: new AbortController().signal });
  const stop = async () => {
    await store.stop();
    rmSync(root, { recursive: true });
  };
  return { facade: storeFacade(store), stop };
});
