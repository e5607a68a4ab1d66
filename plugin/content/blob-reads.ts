/** Reading blobs: from memory when the bytes lie there, from the disk, or from a running flight as bytes arrive. */
import { setImmediate } from 'node:timers/promises';
import type { Digest } from '../../core/oci/digest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { BlobReader } from '../store/blob-store.ts';
import type { WindowBytes } from './blob-window.ts';
import { CHUNK_BYTES_MAX, chunksOf } from './chunks-of.ts';
import type { ContentReader, ReadRange } from './content.ts';
import type { ContentEvents, ReadPlace } from './events.ts';
import type { BlobFlight } from './flight.ts';
import type { Flights } from './flights.ts';
import { ReadWindows } from './read-windows.ts';
import { type SpoiledReads, spoiledError } from './spoiled-reads.ts';
import { DiskBytes, FlightBytes } from './window-bytes.ts';

/** Ranges up to this size go through the windows; longer ones read on by themselves. containerd unpacks by 32 KiB. */
export const SMALL_READ_BYTES = 256 * 1024;

/** A window of a flight that is over gives nothing once, before it reads from the disk; a file that was cut gives nothing for ever. */
const EMPTY_TAKES_MAX = 8;

export interface BlobReadsDeps {
  readonly store: BlobReader;
  readonly flights: Flights;
  readonly spoiled: SpoiledReads;
  readonly clock: Clock;
  readonly events: ContentEvents;
}

/** One read under way. */
interface Reading {
  readonly digest: Digest;
  readonly end: number;
  readonly isSmall: boolean;
  readonly signal: AbortSignal;
  /** What comes next. */
  at: number;
  /** What chunks of a long range are read into: each is consumed when the next one is asked for. */
  buffer?: Buffer;
}

export class BlobReads implements ContentReader {
  readonly windows: ReadWindows;
  readonly #deps: BlobReadsDeps;

  constructor(deps: BlobReadsDeps) {
    this.#deps = deps;
    this.windows = new ReadWindows({ clock: deps.clock, open: (digest) => this.#open(digest) });
  }

  where(digest: Digest): { place: ReadPlace; size: number } | undefined {
    const stat = this.#deps.store.stat(digest);
    if (stat !== undefined) return { place: 'disk', size: stat.size };
    const flight = this.#deps.flights.get(digest);
    return flight && { place: 'flight', size: flight.size };
  }

  readNow(digest: Digest, offset: number, length: number): Uint8Array | undefined {
    const found = this.where(digest);
    if (found === undefined) {
      this.windows.drop(digest);
      return undefined;
    }
    const end = Math.min(offset + length, found.size);
    if (offset < 0 || end <= offset || this.#deps.spoiled.isSpoiled(digest, offset)) return undefined;
    const bytes = this.windows.now(digest, offset, end);
    if (bytes === undefined) return undefined;
    this.#deps.events.read(found.place);
    this.#deps.events.gave(bytes.length);
    return bytes;
  }

  async *read(digest: Digest, range: ReadRange, { signal }: { signal: AbortSignal }): AsyncIterable<Uint8Array> {
    const { clock, events, spoiled } = this.#deps;
    const askedAtMs = clock.monotonicMs();
    const found = this.where(digest);
    if (found === undefined) throw new CodedError('NOT_FOUND', `Blob "${digest}" is neither here nor arriving`);
    const { start, end } = checkRange(digest, range, found.size);
    if (spoiled.isSpoiled(digest, start)) throw spoiledError(digest);
    events.read(found.place);
    const reading = { digest, end, at: start, isSmall: end - start <= SMALL_READ_BYTES, signal };
    let isFirst = true;
    for await (const chunk of this.#chunks(reading)) {
      if (isFirst) events.firstBytes((clock.monotonicMs() - askedAtMs) / 1000);
      isFirst = false;
      events.gave(chunk.length);
      yield chunk;
    }
  }

  async *#chunks(reading: Reading): AsyncIterable<Uint8Array> {
    const flight = this.#flightOf(reading.digest);
    if (flight !== undefined) yield* this.#flightChunks(reading, flight);
    if (reading.at < reading.end) yield* this.#diskChunks(reading);
  }

  /** As far as the flight has them; the rest comes from the disk. */
  async *#flightChunks(reading: Reading, flight: BlobFlight): AsyncIterable<Uint8Array> {
    const leave = flight.addReader();
    let { attempt } = flight;
    try {
      while (reading.at < reading.end) {
        const state = await flight.ready(reading.at, reading.signal);
        if (flight.attempt !== attempt && reading.at > 0) throw spoiledError(reading.digest);
        attempt = flight.attempt;
        if (state === 'whole' || this.#isLeft(reading.digest, flight)) return;
        const chunk = await this.#flightChunk(reading, flight);
        if (chunk === undefined) await letOthersRun();
        if (chunk === undefined || flight.attempt !== attempt) continue;
        reading.at += chunk.length;
        yield chunk;
      }
    } finally {
      leave();
    }
  }

  /** Undefined when the flight changed under the read. */
  async #flightChunk(reading: Reading, flight: BlobFlight): Promise<Uint8Array | undefined> {
    const bytes = this.#bytesOf(reading.digest, flight);
    try {
      const { digest, at, end } = reading;
      const chunk = reading.isSmall ? await this.windows.take(digest, at, end) : await readSome(bytes, reading);
      return chunk.length > 0 ? chunk : undefined;
    } catch (error) {
      // A flight that lands or starts again closes its partial under its readers; `ready` tells them what to do next.
      if (!bytes.isStale()) throw error;
      return undefined;
    }
  }

  async *#diskChunks(reading: Reading): AsyncIterable<Uint8Array> {
    const { digest, end, signal } = reading;
    if (!reading.isSmall) {
      const bytes = await this.#deps.store.open(digest);
      this.#deps.store.touch(digest);
      return yield* chunksOf(bytes, { start: reading.at, end }, signal);
    }
    for (let emptyTakes = 0; reading.at < end; ) {
      signal.throwIfAborted();
      const chunk = await this.windows.take(digest, reading.at, end);
      reading.at += chunk.length;
      emptyTakes = chunk.length > 0 ? 0 : emptyTakes + 1;
      if (emptyTakes > EMPTY_TAKES_MAX) {
        throw new CodedError('DATA_LOSS', `Blob "${digest}" ends at ${reading.at}, ${end} bytes wanted`);
      }
      if (chunk.length > 0) yield chunk;
      else await letOthersRun();
    }
  }

  #flightOf(digest: Digest): BlobFlight | undefined {
    const { store, flights } = this.#deps;
    return store.stat(digest) === undefined ? flights.get(digest) : flights.unsettled(digest);
  }

  /**
   * The blob is on the disk, and nobody had bytes of the flight that may differ from it: the blob can come by other hands
   * while a flight has given some that are proven by nobody.
   */
  #isLeft(digest: Digest, flight: BlobFlight): boolean {
    return this.#deps.store.stat(digest) !== undefined && !flight.isUnsettled;
  }

  #bytesOf(digest: Digest, flight: BlobFlight): FlightBytes {
    return new FlightBytes(flight, () => this.#isLeft(digest, flight));
  }

  async #open(digest: Digest): Promise<WindowBytes> {
    const flight = this.#flightOf(digest);
    if (flight !== undefined) return this.#bytesOf(digest, flight);
    const bytes = await this.#deps.store.open(digest);
    this.#deps.store.touch(digest);
    return new DiskBytes(bytes);
  }
}

/** Before another try: what it waits for may need the disk, which promises alone would never let come to its turn. */
const letOthersRun = () => setImmediate();

async function readSome(bytes: FlightBytes, reading: Reading): Promise<Uint8Array> {
  const { at, end } = reading;
  reading.buffer ??= Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES_MAX, end - at));
  const length = Math.min(reading.buffer.length, end - at, bytes.readableAt(at));
  const count = await bytes.read(reading.buffer.subarray(0, length), at);
  return reading.buffer.subarray(0, count);
}

/** @throws CodedError OUT_OF_RANGE */
function checkRange(digest: Digest, range: ReadRange, size: number): { start: number; end: number } {
  const { offset = 0, length = size } = range;
  if (!Number.isSafeInteger(offset) || offset < 0 || offset > size) {
    throw new CodedError('OUT_OF_RANGE', `Read of "${digest}" starts at ${offset}, it has ${size} bytes`);
  }
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new CodedError('OUT_OF_RANGE', `Read of "${digest}" wants ${length} bytes, a count from 0 on is wanted`);
  }
  return { start: offset, end: Math.min(size, offset + length) };
}
