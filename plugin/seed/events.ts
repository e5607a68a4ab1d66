/** What seeding says about itself: each event makes its log record and its counters together. No token comes near. */
import { codeOf, messageOf } from '../../core/runtime/errors.ts';
import type { Logger } from '../../core/runtime/log.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';
import type { ImageRow, SeedCounts, SeedImage } from './seed.ts';

export interface SeedEvents {
  /** On the node that fetches. */
  orderStarted(order: { id: string; pin: string; images: number }): void;
  imageEnded(order: { id: string }, image: SeedImage, row: ImageRow): void;
  orderUnwatched(order: { id: string }): void;
  /** On the node that was asked. */
  seedStarted(seed: { id: string; pin: string; images: number; nodes: number }): void;
  seedEnded(seed: { id: string; pin: string } & SeedCounts): void;
  tokensWithheld(seed: { id: string; node: string }): void;
  nodeFailed(seed: { id: string; node: string }, error: unknown): void;
  newcomerSeeded(seed: { id: string; pin: string; node: string }): void;
}

export function createSeedEvents({ log, metrics }: { log: Logger; metrics: Metrics }): SeedEvents {
  const images = metrics.counter({
    name: 'shoal_seed_images_total',
    help: 'Images that this node was made to fetch, by how that ended',
    labels: ['result'],
  });
  const bytes = metrics.counter({ name: 'shoal_seed_bytes_total', help: 'Bytes that seeds brought to this node' });
  return {
    orderStarted: (order) => log.info(order, 'Seed is being fetched'),
    imageEnded({ id }, { ref, digest }, row) {
      images.add(1, { result: row.state });
      bytes.add(row.bytesFetched);
      const fields = { id, ref, digest, result: row.state, bytes: row.bytesFetched, ms: row.elapsedMs };
      if (row.state === 'failed' || row.state === 'skipped') {
        log.warn({ ...fields, code: row.code, reason: row.reason }, 'Image of a seed is not here');
      } else log.info(fields, 'Image of a seed is here');
    },
    orderUnwatched: (order) => log.warn(order, 'Nobody asks about a seed any more: it ends'),
    seedStarted: (seed) => log.info(seed, 'Seed starts'),
    seedEnded: (seed) => log.info({ ...seed }, 'Seed has ended'),
    tokensWithheld: (seed) => log.warn(seed, 'Tokens of a seed are not sent over a connection that others can read'),
    nodeFailed: (seed, error) =>
      log.warn({ ...seed, code: codeOf(error), reason: messageOf(error) }, 'Node could not be seeded'),
    newcomerSeeded: (seed) => log.info(seed, 'Newcomer gets what is pinned'),
  };
}
