/** What the heart tells: one function an event, so that log and counters cannot drift. */
import type { Digest } from '../../core/oci/digest.ts';
import { isCode } from '../../core/runtime/errors.ts';
import type { Logger } from '../../core/runtime/log.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';

export type ReadPlace = 'disk' | 'flight';
/** `proven`: part of a whole that matched; `wrong`: of one that did not; `unfinished`: of a flight that ended early. */
export type PieceResult = 'proven' | 'wrong' | 'unfinished';

export interface ContentEvents {
  /** One read was asked for. Hot: a plain addition. */
  read(place: ReadPlace): void;
  /** So many bytes went to a reader. Hot: a plain addition. */
  gave(bytes: number): void;
  /** A read's first bytes came, so long after it was asked for; reads met from memory are not measured. */
  firstBytes(seconds: number): void;
  flightStarted(facts: { digest: Digest; size: number }): void;
  flightEnded(facts: { digest: Digest; size: number; seconds: number }): void;
  flightFailed(facts: { digest: Digest; bytesPresent: number; err: unknown }): void;
  sourceFailed(facts: { digest: Digest; source: string; err: unknown }): void;
  wrongBytes(facts: { digest: Digest; sources: readonly string[] }): void;
  pieces(source: string, result: PieceResult, count: number): void;
}

const READ_BUCKETS_SECONDS = [0.0001, 0.0005, 0.001, 0.005, 0.025, 0.1, 0.5, 2, 10, 60];
const FETCH_BUCKETS_SECONDS = [0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800];

export function createContentEvents(deps: { log: Logger; metrics: Metrics }, flightCount: () => number): ContentEvents {
  const { log, metrics } = deps;
  const pending: Record<ReadPlace, number> = { disk: 0, flight: 0 };
  let pendingBytes = 0;
  metrics.gauge({
    name: 'shoal_flights',
    help: 'Downloads running now',
    // Declared before the counter of reads, so that a scrape, which goes in that order, finds the counter up to date.
    read: () => {
      flush();
      return [{ value: flightCount() }];
    },
  });
  const reads = metrics.counter({
    name: 'shoal_reads_total',
    help: 'Reads, by where bytes came from',
    labels: ['source'],
  });
  const readBytes = metrics.counter({
    name: 'shoal_read_bytes_total',
    help: 'Bytes that readers got: runtimes, and clients of the mirror',
    beforeRead: () => {
      readBytes.add(pendingBytes);
      pendingBytes = 0;
    },
  });
  const flush = () => {
    for (const source of ['disk', 'flight'] as const) {
      reads.add(pending[source], { source });
      pending[source] = 0;
    }
  };
  const readSeconds = metrics.histogram({
    name: 'shoal_read_seconds',
    help: 'Seconds until a read had its first bytes; reads met from memory are left out',
    buckets: READ_BUCKETS_SECONDS,
  });
  const fetchSeconds = metrics.histogram({
    name: 'shoal_fetch_seconds',
    help: 'Seconds from the start of a download until its blob was whole and proven',
    buckets: FETCH_BUCKETS_SECONDS,
  });
  const pieces = metrics.counter({
    name: 'shoal_pieces_total',
    help: 'Pieces that downloads took in, by source and by what became of them',
    labels: ['source', 'result'],
  });
  return {
    read: (place) => {
      pending[place] += 1;
    },
    gave: (bytes) => {
      pendingBytes += bytes;
    },
    firstBytes: (seconds) => readSeconds.observe(seconds),
    flightStarted: (facts) => log.debug(facts, 'Download started'),
    flightEnded: (facts) => {
      fetchSeconds.observe(facts.seconds);
      log.info(facts, 'Download is whole and proven');
    },
    flightFailed: (facts) => {
      if (isCode(facts.err, 'CANCELLED')) log.debug(facts, 'Download is not wanted any more');
      else log.warn(facts, 'Download failed');
    },
    sourceFailed: (facts) => log.debug(facts, 'Source failed'),
    wrongBytes: (facts) => log.warn(facts, 'Downloaded bytes are not those of the digest'),
    pieces: (source, result, count) => pieces.add(count, { source, result }),
  };
}
