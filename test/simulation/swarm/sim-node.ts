/** One node of a simulated fleet: the production swarm and providers over a disk in memory, pulling as the heart does. */
import { createHash } from 'node:crypto';
import { type Digest, digestOf } from '../../../core/oci/digest.ts';
import { CodedError, isCode } from '../../../core/runtime/errors.ts';
import { silentLogger } from '../../../core/runtime/log.ts';
import { noMetrics } from '../../../core/runtime/metrics.ts';
import { askSources } from '../../../plugin/content/ask-sources.ts';
import type { BlobSource, Want } from '../../../plugin/content/blob-source.ts';
import { ReaderWaits } from '../../../plugin/content/reader-waits.ts';
import { SourceLedger } from '../../../plugin/content/source-ledger.ts';
import { whileMoving } from '../../../plugin/content/while-moving.ts';
import type { OpenRange, RangeOffers } from '../../../plugin/peer/peer.ts';
import { createProviders } from '../../../plugin/providers/create-providers.ts';
import type { MemberMode, Providers, SwarmMember } from '../../../plugin/providers/providers.ts';
import { ByteRanges } from '../../../plugin/store/byte-ranges.ts';
import type { ByteRange } from '../../../plugin/store/partial-store.ts';
import { createSwarm } from '../../../plugin/swarm/create-swarm.ts';
import type { HoldingState } from '../../../plugin/providers/providers.ts';
import type { LocalBlob, Origin, Swarm } from '../../../plugin/swarm/swarm.ts';
import type { SimClock } from './sim-clock.ts';
import type { SimNetwork, SimPort } from './sim-network.ts';

/** A flight without a byte for so long is given up, milliseconds: the bench's own. */
const GIVE_UP_MS = 60_000;
/** Wrong wholes after which something is wrong with the simulation. */
const TRIES_MAX = 12;

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

  /** The pieces of a blob that are here. */
  pieces(digest: Digest): number[] {
    const blob = this.#blobs.get(digest);
    const { pieceSizeBytes } = this.#deps;
    const count = Math.ceil((blob?.size ?? 0) / pieceSizeBytes);
    const isHere = (piece: number) =>
      blob?.present.covers(piece * pieceSizeBytes, (piece + 1) * pieceSizeBytes) ?? false;
    return Array.from({ length: count }, (_, piece) => piece).filter(isHere);
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
    const { clock, origin } = this.#deps;
    this.startedAtMs = clock.monotonicMs();
    const source: BlobSource = { ...origin, name: 'source', sentWrongBytes: () => undefined };
    const ledger = new SourceLedger([this.swarm, source]);
    try {
      for (let tries = 0; tries < TRIES_MAX; tries += 1) {
        const blob = this.#blobs.get(want.digest) ?? new MemoryBlob(want.size, 'fetching');
        this.#blobs.set(want.digest, blob);
        await this.#fillPatiently(want, blob, ledger);
        if (digestOf(blob.data) === want.digest) {
          blob.state = 'whole';
          this.swarm.arrived(want.digest);
          this.tookMs = clock.monotonicMs() - this.startedAtMs;
          return;
        }
        this.wholeWrong += 1;
        this.#blobs.delete(want.digest);
        ledger.blame(want, new CodedError('DATA_LOSS', 'Wrong whole'));
      }
      throw new CodedError('DATA_LOSS', 'Wrong again and again');
    } catch (error) {
      this.failure = error;
    }
  }

  /** Whoever pulls tries again when nobody has anything of it yet, as containerd's users do. */
  async #fillPatiently(want: Want, blob: MemoryBlob, ledger: SourceLedger): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await this.#fill(want, blob, ledger);
      } catch (error) {
        if (tries >= TRIES_MAX || !isCode(error, 'NOT_FOUND')) throw error;
        await this.#deps.clock.sleep(Math.min(5_000, 250 * 2 ** tries));
      }
    }
  }

  async #fill(want: Want, blob: MemoryBlob, ledger: SourceLedger): Promise<void> {
    const { clock } = this.#deps;
    let movedAtMs = clock.monotonicMs();
    const onMoving = () => {
      movedAtMs = clock.monotonicMs();
    };
    const { signal } = new AbortController();
    const watch = {
      clock,
      signal,
      movedAtMs: () => movedAtMs,
      limitMs: () => GIVE_UP_MS,
      what: 'Nobody brought a byte',
    };
    const asking = {
      partial: {
        digest: want.digest,
        size: want.size,
        missing: (from: number) => blob.missing(from),
        bytesPresent: () => blob.present.bytes,
        write: async (offset: number, bytes: Uint8Array) => blob.write(offset, bytes),
        forget: async ({ start, end }: ByteRange) => blob.present.remove(start, end),
      },
      clock,
      ledger,
      waits: new ReaderWaits(),
      want: () => want,
      onSource: () => undefined,
      onBytes: (source: BlobSource, count: number) => {
        onMoving();
        ledger.brought(source, count);
        if (source !== this.swarm) this.directBytes += count;
      },
      onMoving,
      onForget: () => undefined,
      onFailed: () => undefined,
    };
    await whileMoving(watch, (running) => askSources(asking, running));
  }
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
