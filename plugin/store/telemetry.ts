/** What the store tells: one function an event, so that logs and counters cannot drift apart. */
import type { Digest } from '../../core/oci/digest.ts';
import type { Logger } from '../../core/runtime/log.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';
import type { Hold } from './blob-store.ts';

export interface StoreTelemetry {
  opened(facts: {
    root: string;
    blobs: number;
    ingests: number;
    partials: number;
    claims: number;
    tookMs: number;
  }): void;
  evicted(facts: { blobs: number; partials: number; bytes: number }): void;
  pinEnded(name: string): void;
  wrongDigest(facts: { wanted: Digest; got: Digest }): void;
  ignored(facts: { path: string; reason: string }): void;
  upkeepFailed(error: unknown): void;
  aside(what: string, error: unknown): void;
}

export function createStoreTelemetry(
  deps: { log: Logger; metrics: Metrics },
  bytesByHold: () => Record<Hold, number>,
): StoreTelemetry {
  const { log } = deps;
  deps.metrics.gauge({
    name: 'shoal_store_bytes',
    help: 'Bytes of whole blobs by the hold that keeps them; a blob with several holds counts in each',
    labels: ['hold'],
    read: () => Object.entries(bytesByHold()).map(([hold, value]) => ({ value, labels: { hold } })),
  });
  const evictedBytes = deps.metrics.counter({
    name: 'shoal_evicted_bytes_total',
    help: 'Bytes that eviction took from the cache and from downloads left behind',
  });
  return {
    opened: (facts) => log.info(facts, 'Store opened'),
    evicted: (facts) => {
      evictedBytes.add(facts.bytes);
      log.info(facts, 'Evicted');
    },
    pinEnded: (name) => log.info({ name }, 'Pin ended'),
    wrongDigest: (facts) => log.warn(facts, 'Downloaded bytes do not match their digest'),
    ignored: (facts) => log.warn(facts, 'Ignored a file that does not belong here'),
    upkeepFailed: (err) => log.error({ err }, 'Upkeep of the store failed'),
    aside: (what, err) => log.warn({ what, err }, 'A side effect failed'),
  };
}
