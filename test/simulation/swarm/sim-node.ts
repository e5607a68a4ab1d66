/** One node of a simulated fleet: the production swarm and providers over a disk in memory, pulling as the heart does. */
import { createHash } from 'node:crypto';
import { type Digest, digestOf } from '../../../core/oci/digest.ts';
import { CodedError, isCode } from '../../../core/runtime/errors.ts';
import { silentLogger } from '../../../core/runtime/log.ts';
import { noMetrics } from '../../../core/runtime/metrics.ts';
import type { FlightSink, Want } from '../../../plugin/content/blob-source.ts';
import type { OpenRange, RangeOffers } from '../../../plugin/peer/peer.ts';
import { createProviders } from '../../../plugin/providers/create-providers.ts';
import type { MemberMode, Providers, SwarmMember } from '../../../plugin/providers/providers.ts';
import { ByteRanges } from '../../../plugin/store/byte-ranges.ts';
import { createSwarm } from '../../../plugin/swarm/create-swarm.ts';
import type { HoldingState } from '../../../plugin/providers/providers.ts';
import type { LocalBlob, Origin, Swarm } from '../../../plugin/swarm/swarm.ts';
import type { SimClock } from './sim-clock.ts';
import type { SimNetwork, SimPort } from './sim-network.ts';

/** Strikes after which the heart asks the swarm no more for a blob. */
const STRIKES_MAX = 2;

class MemoryBlob implements LocalBlob {
  state: HoldingState;
  readonly size: number;
  readonly data: Uint8Array;
  present = new ByteRanges();

  constructor(size: number, state: HoldingState) {
    this.size = size;
    this.state = state;
    this.data = new Uint8Array(size);
  }

  missing(from: number) {
    return this.present.firstGap(from, this.size);
  }

  async open() {
    return {
      read: async (into: Uint8Array, offset: number) => {
        const bytes = this.data.subarray(offset, offset + into.length);
        into.set(bytes);
        return bytes.length;
      },
      close: async () => undefined,
    };
  }

  write(offset: number, bytes: Uint8Array): void {
    if (this.present.covers(offset, offset + bytes.length)) return;
    this.data.set(bytes, offset);
    this.present.add(offset, offset + bytes.length);
  }
}

export interface SimNodeDeps {
  readonly name: string;
  readonly clock: SimClock;
  readonly random: () => number;
  readonly network: SimNetwork;
  readonly port: SimPort;
  readonly members: () => readonly SwarmMember[];
  readonly origin: Origin;
  readonly pieceSizeBytes: number;
  readonly mode?: MemberMode;
  readonly uploadsMax?: number;
  readonly downloadsMax?: number;
  /** Changes what it serves. */
  readonly lie?: (bytes: Uint8Array) => Uint8Array;
}

export class SimNode {
  readonly name: string;
  readonly swarm: Swarm;
  readonly providers: Providers;
  readonly #deps: SimNodeDeps;
  readonly #blobs = new Map<Digest, MemoryBlob>();
  /** Set when the pull is done, milliseconds since it began. */
  tookMs: number | undefined;
  failure: unknown;
  startedAtMs = 0;
  wholeWrong = 0;
  /** Bytes that the heart took straight from the source, without a lease. */
  directBytes = 0;

  constructor(deps: SimNodeDeps) {
    this.#deps = deps;
    this.name = deps.name;
    const seen = deps.network.seenBy(deps.port);
    const shared = {
      self: deps.name,
      members: deps.members,
      calls: seen,
      clock: deps.clock,
      random: deps.random,
      metrics: noMetrics,
    };
    this.providers = createProviders(shared);
    this.swarm = createSwarm(
      {
        ...shared,
        ranges: seen,
        providers: this.providers,
        local: { look: (digest) => this.#blobs.get(digest) },
        origin: deps.origin,
        log: silentLogger,
      },
      {
        mode: deps.mode ?? 'full',
        pieceSizeFor: () => deps.pieceSizeBytes,
        bufferBytesMax: 24 * deps.pieceSizeBytes,
        ...(deps.uploadsMax === undefined ? {} : { uploadsMax: deps.uploadsMax }),
        ...(deps.downloadsMax === undefined ? {} : { downloadsMax: deps.downloadsMax }),
      },
    );
    const offers = deps.lie === undefined ? this.swarm : lying(this.swarm, deps.lie);
    deps.network.serve(deps.port, offers, [this.providers, this.swarm]);
  }

  piecesHere(digest: Digest): number {
    return Math.floor((this.#blobs.get(digest)?.present.bytes ?? 0) / this.#deps.pieceSizeBytes);
  }

  /** Has a blob from the beginning. */
  seed(digest: Digest, data: Uint8Array): void {
    const blob = new MemoryBlob(data.length, 'whole');
    blob.write(0, data);
    this.#blobs.set(digest, blob);
    this.swarm.arrived(digest);
  }

  /** Has the beginning of a blob from an earlier run. */
  resume(digest: Digest, data: Uint8Array, bytes: number): void {
    const blob = new MemoryBlob(data.length, 'fetching');
    blob.write(0, data.subarray(0, bytes));
    this.#blobs.set(digest, blob);
  }

  /** Pulls as the heart does: the swarm, then the source; proven at the end, begun again when wrong. */
  async pull(want: Want): Promise<void> {
    const { clock } = this.#deps;
    this.startedAtMs = clock.monotonicMs();
    try {
      for (let strikes = 0; ; strikes += 1) {
        const blob = this.#blobs.get(want.digest) ?? new MemoryBlob(want.size, 'fetching');
        this.#blobs.set(want.digest, blob);
        await this.#fill(want, blob, strikes < STRIKES_MAX);
        if (digestOf(blob.data) === want.digest) {
          blob.state = 'whole';
          this.swarm.arrived(want.digest);
          this.tookMs = clock.monotonicMs() - this.startedAtMs;
          return;
        }
        this.wholeWrong += 1;
        this.#blobs.delete(want.digest);
        this.swarm.sentWrongBytes(want);
        if (strikes > STRIKES_MAX) throw new CodedError('DATA_LOSS', 'Wrong again and again');
      }
    } catch (error) {
      this.failure = error;
    }
  }

  async #fill(want: Want, blob: MemoryBlob, mayAskSwarm: boolean): Promise<void> {
    const { clock, origin, port } = this.#deps;
    const failures: unknown[] = [];
    for (let round = 0; round < 20 && !port.isDead; round += 1) {
      const signal = new AbortController().signal;
      const sink = sinkOf(want, blob, () => undefined);
      const sources = mayAskSwarm ? [this.swarm, origin] : [origin];
      for (const source of sources) {
        try {
          source.prepare(want);
          await source.settled(want, { signal });
          if (source.route(want) !== 'yes') continue;
          const direct = source === origin ? sinkOf(want, blob, (bytes) => (this.directBytes += bytes)) : sink;
          await source.fetch(want, direct, { signal });
          if (sink.nextGap() === undefined) return;
        } catch (error) {
          failures.push(error);
          if (port.isDead) throw error;
          if (!isCode(error, 'UNAVAILABLE', 'RESOURCE_EXHAUSTED')) throw error;
        }
      }
      await clock.sleep(Math.min(5_000, 250 * 2 ** round));
    }
    throw failures.at(-1) ?? new CodedError('NOT_FOUND', 'No source');
  }
}

function sinkOf(want: Want, blob: MemoryBlob, onBytes: (bytes: number) => void): FlightSink {
  return {
    digest: want.digest,
    size: want.size,
    nextGap: (maxBytes = Number.POSITIVE_INFINITY) => {
      const gap = blob.missing(0);
      return gap && { start: gap.start, end: Math.min(gap.end, gap.start + maxBytes) };
    },
    urgentGap: () => undefined,
    write: async (offset, bytes) => {
      onBytes(bytes.length);
      blob.write(offset, bytes);
    },
  };
}

/** Sends other bytes than it has, and answers for them. */
function lying(honest: RangeOffers, lie: (bytes: Uint8Array) => Uint8Array): RangeOffers {
  return {
    openRange: async (peer, request, call): Promise<OpenRange> => {
      const open = await honest.openRange(peer, request, call);
      const hash = createHash('sha256');
      const said = Promise.withResolvers<string>();
      async function* chunks() {
        for await (const chunk of open.chunks) {
          const wrong = lie(chunk);
          hash.update(wrong);
          yield wrong;
        }
        said.resolve(hash.digest('hex'));
      }
      return { chunks: chunks(), sha256: said.promise };
    },
  };
}
