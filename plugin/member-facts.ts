/** What this node says of itself to those who look at the fleet, from its parts' memory. */
import { statfsSync } from 'node:fs';
import type { Clock } from '../core/runtime/clock.ts';
import type { ScrapableMetrics } from '../core/runtime/metrics.ts';
import type { Content } from './content/content.ts';
import type { Fleet } from './fleet/fleet.ts';
import { storeBytes } from './node-status.ts';
import type { BlobReader } from './store/blob-store.ts';
import { pieceMap } from './survey/piece-map.ts';
import type { MemberFacts } from './survey/survey.ts';

/** The store is counted at most so often, however many look. Milliseconds. */
const COUNT_EVERY_MS = 2_000;

export interface MemberFactsDeps {
  readonly version: string;
  readonly root: string;
  readonly startedAtMs: number;
  readonly capacityBytes: number;
  readonly store: Pick<BlobReader, 'list'>;
  readonly content: Pick<Content, 'flights'>;
  readonly fleet: Pick<Fleet, 'swarms'> | undefined;
  readonly metrics: Pick<ScrapableMetrics, 'sum'>;
  readonly clock: Clock;
}

export function memberFacts(deps: MemberFactsDeps): () => Promise<MemberFacts> {
  const { metrics, clock } = deps;
  let counted = { atMs: Number.NEGATIVE_INFINITY, ...storeBytes({ list: () => [] }) };
  const held = () => {
    const atMs = clock.monotonicMs();
    if (atMs - counted.atMs >= COUNT_EVERY_MS) counted = { atMs, ...storeBytes(deps.store) };
    return counted;
  };
  return async () => {
    const { blobs, bytes, bytesByHold } = held();
    const { bavail, bsize } = statfsSync(deps.root);
    const [fromRegistries, fromPeers, toPeers, toReaders] = await Promise.all([
      metrics.sum('shoal_upstream_bytes_total'),
      metrics.sum('shoal_peer_bytes_total', { direction: 'received' }),
      metrics.sum('shoal_peer_bytes_total', { direction: 'sent' }),
      metrics.sum('shoal_read_bytes_total'),
    ]);
    return {
      version: deps.version,
      nowMs: clock.now(),
      startedAtMs: deps.startedAtMs,
      ...{ blobs, bytes, bytesByHold },
      capacityBytes: deps.capacityBytes,
      freeBytes: bavail * bsize,
      flights: [...deps.content.flights()].length,
      bytesFromRegistries: fromRegistries,
      bytesFromPeers: fromPeers,
      bytesServed: toPeers + toReaders,
      swarms: [...(deps.fleet?.swarms() ?? [])].map(({ have, ...swarm }) => ({
        ...swarm,
        map: pieceMap(have, swarm.pieces),
      })),
    };
  };
}
