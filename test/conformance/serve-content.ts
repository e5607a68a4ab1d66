/**
 * A content server on its own, for suites and benchmarks in other languages: the disk store, the heart without sources and
 * no claims. Arguments: root, socket, transport. Says `ready` on stdout; ends when stdin closes, saying what it used.
 */
import { mkdirSync } from 'node:fs';
import { systemClock } from '../../core/runtime/clock.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import { noMetrics } from '../../core/runtime/metrics.ts';
import type { ContentServerOptions } from '../../plugin/content-api/server.ts';
import { createContentServer } from '../../plugin/content-api/server.ts';
import { createContent } from '../../plugin/content/create-content.ts';
import { createDiskStore } from '../../plugin/store/disk-store.ts';
import { claimDigests } from './some-claims.ts';

const [root = '', socket = '', transport = 'grpc-js'] = process.argv.slice(2);
mkdirSync(root, { recursive: true });
const limits = { capacityBytes: 2 ** 40, highWatermark: 0.9, lowWatermark: 0.7, minFreeBytes: 0 };
const common = { clock: systemClock, log: silentLogger, metrics: noMetrics };
const store = createDiskStore({ root, limits, ...common });
const content = createContent({ store, sources: [], ...common });
const options: ContentServerOptions = { socket, transport: transport === 'direct' ? 'direct' : 'grpc-js' };
const server = createContentServer({ store, content, claims: claimDigests(), log: silentLogger }, options);
const { signal } = new AbortController();
for (const service of [store, content, server]) await service.start({ signal });
process.stdout.write(`ready ${process.memoryUsage.rss()}\n`);

process.stdin.resume();
process.stdin.on('data', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const usage = {
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    rss: process.memoryUsage.rss(),
    peakRss: maxRSS * 1024,
  };
  process.stdout.write(`${JSON.stringify(usage)}\n`);
});
process.stdin.on('end', async () => {
  for (const service of [server, content, store]) await service.stop();
});
