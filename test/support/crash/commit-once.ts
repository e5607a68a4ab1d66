/** Commits one ingest and one download below a root and ends: `node commit-once.ts ROOT`, for a tracer to watch. */
import { systemClock } from '../../../core/runtime/clock.ts';
import { silentLogger } from '../../../core/runtime/log.ts';
import { noMetrics } from '../../../core/runtime/metrics.ts';
import { createDiskStore } from '../../../plugin/store/disk-store.ts';
import { blobOf, CRASH_LIMITS } from './journal.ts';

const [, , root = ''] = process.argv;
const deps = { root, limits: CRASH_LIMITS, clock: systemClock, log: silentLogger, metrics: noMetrics };
const store = createDiskStore(deps);
await store.start({ signal: new AbortController().signal });

const written = blobOf('written', 100_000);
const ingest = await store.openIngest('some/ref');
await ingest.append(written.bytes);
await ingest.commit({ size: written.bytes.length, expected: written.digest });

const fetched = blobOf('fetched', 100_000);
const download = await store.openPartial(fetched.digest, fetched.bytes.length);
await download.write(50_000, fetched.bytes.subarray(50_000));
await download.write(0, fetched.bytes.subarray(0, 50_000));
await download.commit(new Set(['cache', 'containerd']));

await store.stop();
