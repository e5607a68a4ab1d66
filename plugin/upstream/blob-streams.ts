/**
 * Filling a flight's gaps from one repository: one long stream at a time, a bounded number to each registry. Flights that
 * wait for a stream get their turn soon, because a flight without new bytes is given up.
 */
import { BoundedMap } from '../../core/runtime/bounded-map.ts';
import type { RegistryClient, Repository } from '../../core/registry/registry-client.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { Semaphore } from '../../core/runtime/semaphore.ts';
import type { FlightSink } from '../content/blob-source.ts';
import type { TokenBucket } from '../../core/runtime/token-bucket.ts';

/** Small chunks are joined up to this before they are stored: each write costs a thread-pool hop. */
const WRITE_BYTES = 256 * 1024;
/** Slow bodies are stored so often all the same, milliseconds: somebody may wait for the bytes. */
const WRITE_EVERY_MS = 500;
/** A reader that waits so little ahead of a stream is met sooner by the stream than by another one. */
const AHEAD_BYTES = 8 * 1024 * 1024;
/** A stream brings so much before it moves to another reader, so that two of them do not make it jump for every chunk. */
const MOVE_MIN_BYTES = 1024 * 1024;
/** All who wait for a registry get a turn within this, down to the shortest turn, milliseconds. */
const ROUND_MS = 8_000;
const TURN_MIN_MS = 250;
/** More flights than the heart runs. */
const WAITING_MAX = 4_096;
const HOSTS_MAX = 256;

export interface BlobStreamsDeps {
  readonly client: Pick<RegistryClient, 'blob'>;
  readonly clock: Clock;
  /** Of all registries; undefined = no limit. */
  readonly bandwidth: TokenBucket | undefined;
  /** Streams at once to one registry. */
  readonly concurrency: number;
}

type Gap = NonNullable<ReturnType<FlightSink['nextGap']>>;

interface Streaming {
  readonly repository: Repository;
  readonly sink: FlightSink;
  readonly gap: Gap;
  readonly signal: AbortSignal;
}

export class BlobStreams {
  readonly #deps: BlobStreamsDeps;
  readonly #turns = new BoundedMap<string, Semaphore>({ entriesMax: HOSTS_MAX });

  constructor(deps: BlobStreamsDeps) {
    this.#deps = deps;
  }

  /** @throws CodedError as `RegistryClient.blob`, and what the sink throws */
  async fill(repository: Repository, sink: FlightSink, signal: AbortSignal): Promise<void> {
    const turns = this.#turnsOf(repository.registry.host);
    while (sink.nextGap(1) !== undefined) {
      await turns.run(
        async () => {
          const gap = sink.nextGap();
          if (gap !== undefined) await this.#stream({ repository, sink, gap, signal }, turns);
        },
        { signal },
      );
    }
  }

  /** Ends with its gap, with its turn, or when a reader needs bytes elsewhere. */
  async #stream(streaming: Streaming, turns: Semaphore): Promise<void> {
    const { repository, sink, gap, signal } = streaming;
    const { client, clock } = this.#deps;
    const startedAtMs = clock.monotonicMs();
    const range = { offset: gap.start, end: gap.end, signal };
    const joiner = new JoinedWrites(sink, gap.start, clock);
    try {
      for await (const chunk of client.blob(repository, { digest: sink.digest, size: sink.size }, range)) {
        await joiner.add(chunk);
        await this.#pause(chunk.length, signal);
        // At its end a body ends by itself, and its connection can be used again.
        if (joiner.at >= gap.end) continue;
        if (isTurnOver(turns, this.#deps.concurrency, clock.monotonicMs() - startedAtMs)) break;
        if (isWantedElsewhere(sink, gap.start, joiner.at)) break;
      }
    } finally {
      await joiner.flush();
    }
  }

  async #pause(bytes: number, signal: AbortSignal): Promise<void> {
    const { bandwidth, clock } = this.#deps;
    const waitMs = bandwidth?.take(bytes, clock.monotonicMs()) ?? 0;
    if (waitMs > 0) await clock.sleep(waitMs, { signal });
  }

  #turnsOf(host: string): Semaphore {
    const found = this.#turns.get(host);
    if (found !== undefined) return found;
    const turns = new Semaphore({ permits: this.#deps.concurrency, waitersMax: WAITING_MAX });
    this.#turns.set(host, turns);
    return turns;
  }
}

/** Joins chunks into large writes; the next ones come in while the last write is under way. */
class JoinedWrites {
  /** The offset after everything that was added. */
  at: number;
  readonly #sink: FlightSink;
  readonly #clock: Clock;
  #parts: Buffer[] = [];
  #bytes = 0;
  #wroteAtMs: number;
  #writing: Promise<void> = Promise.resolve();

  constructor(sink: FlightSink, offset: number, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
    this.at = offset;
    this.#wroteAtMs = clock.monotonicMs();
  }

  async add(chunk: Buffer): Promise<void> {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    this.at += chunk.length;
    const isDue = this.#clock.monotonicMs() - this.#wroteAtMs >= WRITE_EVERY_MS;
    if (this.#bytes >= WRITE_BYTES || isDue) await this.#write();
  }

  /** Stores what is left. @throws what the sink threw */
  async flush(): Promise<void> {
    await this.#write();
    await this.#writing;
  }

  async #write(): Promise<void> {
    await this.#writing;
    if (this.#bytes === 0) return;
    const bytes = Buffer.concat(this.#parts, this.#bytes);
    const offset = this.at - this.#bytes;
    this.#parts = [];
    this.#bytes = 0;
    this.#wroteAtMs = this.#clock.monotonicMs();
    this.#writing = this.#sink.write(offset, bytes);
    this.#writing.catch(() => undefined);
  }
}

function isTurnOver(turns: Semaphore, permits: number, elapsedMs: number): boolean {
  if (turns.waiting === 0) return false;
  const rounds = Math.ceil(turns.waiting / permits);
  return elapsedMs >= Math.max(TURN_MIN_MS, ROUND_MS / (rounds + 1));
}

function isWantedElsewhere(sink: FlightSink, start: number, at: number): boolean {
  if (at - start < MOVE_MIN_BYTES) return false;
  const urgent = sink.urgentGap(1);
  return urgent !== undefined && (urgent.start < start || urgent.start > at + AHEAD_BYTES);
}
