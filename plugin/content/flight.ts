/** One running download with all its readers: opens the partial, asks the sources, proves the whole, keeps it. */
import type { Digest } from '../../core/oci/digest.ts';
import { sourceKey } from '../../core/oci/source.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError, isCode } from '../../core/runtime/errors.ts';
import type { BlobHolder, BlobReader } from '../store/blob-store.ts';
import type { Partial, PartialStore } from '../store/partial-store.ts';
import { askSources } from './ask-sources.ts';
import type { BlobSource, Want } from './blob-source.ts';
import type { Flight, FlightHold, FlightStatus } from './content.ts';
import type { ContentEvents, PieceResult } from './events.ts';
import { keepHolds } from './keep-holds.ts';
import { ReaderWaits } from './reader-waits.ts';
import { hasSameBytes } from './same-bytes.ts';
import { SourceLedger } from './source-ledger.ts';
import { whileMoving } from './while-moving.ts';

export interface FlightDeps {
  readonly store: PartialStore & BlobHolder & Pick<BlobReader, 'open' | 'stat'>;
  readonly sources: readonly BlobSource[];
  readonly clock: Clock;
  readonly events: ContentEvents;
}

export interface FlightStart {
  readonly want: Want;
  readonly giveUpMs: number;
  /** An earlier flight of this blob that still has to close its partial. */
  readonly after: Promise<unknown> | undefined;
  /** The bytes so far were wrong and are gone; readers may have had some of them. */
  readonly onSpoiled: () => void;
}

/** Bytes at a blob's end that no reader gets before the proof, whatever its chunk: the buffer that containerd unpacks through. */
export const UNPROVEN_TAIL_BYTES = 32 * 1024;
/** Readers of one flight; the edges' own limits are far below. */
const READERS_MAX = 4_096;
/** Sources learned while the flight runs are added up to so many. */
const SOURCES_MAX = 16;

export class BlobFlight implements Flight {
  readonly done: Promise<void>;
  readonly size: number;
  readonly #deps: FlightDeps;
  readonly #start: FlightStart;
  readonly #ledger: SourceLedger;
  readonly #waits = new ReaderWaits();
  readonly #abort = new AbortController();
  readonly #holds = new Set<FlightHold>();
  /** Pulls and clients that want it in the cache come and go by themselves; containerd's hold is one claim's. */
  #cacheWants = 0;
  readonly #startedAt: { wallMs: number; monotonicMs: number };
  #want: Want;
  #giveUpMs: number;
  #movedAt: { wallMs: number; monotonicMs: number };
  #partial: Partial | undefined;
  #source: string | undefined;
  #readers = 0;
  #attempt = 1;
  /** `ending`: its download is being closed; nobody can read from it any more. */
  #phase: 'filling' | 'proving' | 'ending' | 'whole' | 'failed' = 'filling';
  #hasArrived = false;
  /** Readers have had bytes that nobody has proven yet. */
  #hasGiven = false;
  #failure: unknown;

  constructor(deps: FlightDeps, start: FlightStart) {
    this.#deps = deps;
    this.#start = start;
    this.#want = start.want;
    this.#giveUpMs = start.giveUpMs;
    this.size = start.want.size;
    this.#startedAt = this.#now();
    this.#movedAt = this.#startedAt;
    this.#ledger = new SourceLedger(deps.sources);
    this.done = this.#run();
    this.done.catch(() => undefined);
  }

  status(): FlightStatus {
    return {
      digest: this.#want.digest,
      size: this.size,
      bytesPresent: this.#phase === 'whole' ? this.size : (this.#partial?.bytesPresent() ?? 0),
      readers: this.#readers,
      startedAtMs: this.#startedAt.wallMs,
      lastByteAtMs: this.#movedAt.wallMs,
      ...(this.#source === undefined ? {} : { source: this.#source }),
    };
  }

  /** Grows by one each time that wrong bytes made it start again. */
  get attempt(): number {
    return this.#attempt;
  }

  /** False once its bytes are a blob, or nobody can have them from here any more. */
  get isRunning(): boolean {
    return (this.#phase === 'filling' || this.#phase === 'proving') && !this.#abort.signal.aborted;
  }

  /** Readers have had bytes of it of which it is not told yet whether they are the blob's. */
  get isUnsettled(): boolean {
    return this.#hasGiven && this.#phase !== 'whole' && this.#phase !== 'failed';
  }

  /** Another one wants the blob: its hold, its patience and its sources count too. */
  join(want: Want, hold: FlightHold, giveUpMs: number): void {
    this.#holds.add(hold);
    if (hold === 'cache') this.#cacheWants += 1;
    this.#giveUpMs = Math.max(this.#giveUpMs, giveUpMs);
    const known = new Map([...want.sources, ...this.#want.sources].map((source) => [sourceKey(source), source]));
    this.#want = { ...this.#want, sources: [...known.values()].slice(0, SOURCES_MAX) };
  }

  unwant(hold: FlightHold): void {
    if (hold === 'cache') this.#cacheWants -= 1;
    if (hold === 'cache' && this.#cacheWants > 0) return;
    this.#holds.delete(hold);
    this.#endIfUnwanted();
  }

  /** @returns what ends the reader's interest */
  addReader(): () => void {
    if (this.#readers >= READERS_MAX) {
      throw new CodedError(
        'RESOURCE_EXHAUSTED',
        `Read of "${this.#want.digest}" is refused: ${READERS_MAX} read already`,
      );
    }
    this.#readers += 1;
    let isCounted = true;
    return () => {
      if (isCounted) this.#readers -= 1;
      isCounted = false;
      this.#endIfUnwanted();
    };
  }

  /** How many bytes can be read from `offset` on without waiting. */
  readableAt(offset: number): number {
    const partial = this.#partial;
    if (partial === undefined) return 0;
    const end = Math.min(partial.missing(offset)?.start ?? this.size, this.size - UNPROVEN_TAIL_BYTES);
    return Math.max(0, end - offset);
  }

  /** Resolves when bytes at `offset` can be read, or the blob is whole. @throws what made the flight fail; the signal's reason */
  async ready(offset: number, signal: AbortSignal): Promise<'readable' | 'whole'> {
    for (;;) {
      if (this.#phase === 'whole') return 'whole';
      if (this.#phase === 'failed') throw this.#failure;
      if (this.isRunning && this.readableAt(offset) > 0) return 'readable';
      const isAwaited = this.isRunning && offset < this.size - UNPROVEN_TAIL_BYTES;
      await this.#waits.until(isAwaited ? offset : undefined, signal);
    }
  }

  /** Reads what `readableAt` said is there. */
  async read(into: Uint8Array, offset: number): Promise<number> {
    if (this.#partial === undefined) throw notOpen(this.#want.digest);
    this.#hasGiven = true;
    return this.#partial.read(into, offset);
  }

  /** The blob became whole by other hands. */
  arrived(): void {
    this.#hasArrived = true;
    this.cancel(new CodedError('CANCELLED', `Blob "${this.#want.digest}" has arrived by other hands`));
  }

  /** Ends it; what was downloaded stays for later. A proof under way is finished. */
  cancel(reason: CodedError): void {
    if (this.#phase === 'filling') this.#abort.abort(reason);
  }

  async #run(): Promise<void> {
    const { digest, size } = this.#want;
    this.#deps.events.flightStarted({ digest, size });
    try {
      await this.#start.after;
      while (!(await this.#tryOnce())) this.#attempt += 1;
      this.#phase = 'whole';
      const seconds = (this.#now().monotonicMs - this.#startedAt.monotonicMs) / 1000;
      this.#deps.events.flightEnded({ digest, size, seconds });
      this.#waits.wakeAll();
    } catch (error) {
      this.#phase = 'failed';
      this.#failure = error;
      this.#deps.events.flightFailed({ digest, bytesPresent: this.#partial?.bytesPresent() ?? 0, err: error });
      this.#waits.failAll(error);
      throw error;
    } finally {
      this.#partial = undefined;
    }
  }

  /** @returns false when the bytes were wrong and it has to start again */
  async #tryOnce(): Promise<boolean> {
    const partial = await this.#open();
    if (partial === undefined) return this.#keep(new Set());
    this.#partial = partial;
    this.#waits.wakeReady((offset) => this.readableAt(offset) > 0);
    try {
      await this.#fill(partial);
    } catch (error) {
      this.#phase = 'ending';
      if (this.#hasArrived || this.#isBesideBlob) return this.#takeArrived(partial);
      this.#countPieces('unfinished');
      await (partial.bytesPresent() > 0 ? partial.close() : partial.discard());
      throw error;
    }
    return this.#prove(partial);
  }

  /** Readers have had bytes, and a blob that came by other hands lies here before anyone has said so. */
  get #isBesideBlob(): boolean {
    return this.#hasGiven && this.#deps.store.stat(this.#want.digest) !== undefined;
  }

  /** Undefined when the blob is whole here. */
  async #open(): Promise<Partial | undefined> {
    if (this.#hasArrived) return undefined;
    this.#abort.signal.throwIfAborted();
    try {
      return await this.#deps.store.openPartial(this.#want.digest, this.size);
    } catch (error) {
      if (isCode(error, 'ALREADY_EXISTS')) return undefined;
      throw error;
    }
  }

  async #fill(partial: Partial): Promise<void> {
    const { clock, events } = this.#deps;
    this.#movedAt = this.#now();
    const watch = {
      clock,
      signal: this.#abort.signal,
      movedAtMs: () => this.#movedAt.monotonicMs,
      limitMs: () => this.#giveUpMs,
      what: `No source brought a byte of "${this.#want.digest}"`,
    };
    const asking = {
      partial,
      clock,
      waits: this.#waits,
      ledger: this.#ledger,
      want: () => this.#want,
      onSource: (source: BlobSource | undefined) => {
        this.#source = source?.name;
      },
      onBytes: (source: BlobSource, count: number) => {
        this.#movedAt = this.#now();
        this.#ledger.brought(source, count);
      },
      onMoving: () => {
        this.#movedAt = this.#now();
      },
      onForget: () => {
        if (!this.#hasGiven) return;
        this.#attempt += 1;
        this.#start.onSpoiled();
      },
      onFailed: (source: BlobSource, err: unknown) =>
        events.sourceFailed({ digest: this.#want.digest, source: source.name, err }),
    };
    let asked: Promise<void> | undefined;
    try {
      await whileMoving(watch, (signal) => {
        asked = askSources(asking, signal);
        return asked;
      });
    } finally {
      // Bytes under way must be stored before the partial is closed.
      await Promise.allSettled([asked]);
    }
  }

  async #prove(partial: Partial): Promise<boolean> {
    this.#phase = 'proving';
    const holds = new Set<FlightHold>(this.#holds.size > 0 ? this.#holds : ['cache']);
    try {
      await partial.commit(holds);
    } catch (error) {
      if (isCode(error, 'DATA_LOSS')) return this.#startOver(error);
      if (!isCode(error, 'ALREADY_EXISTS')) {
        await partial.close();
        throw error;
      }
    }
    this.#countPieces('proven');
    return this.#keep(holds);
  }

  #startOver(error: unknown): false {
    this.#countPieces('wrong');
    this.#partial = undefined;
    this.#phase = 'filling';
    this.#start.onSpoiled();
    const sources = [...this.#ledger.contributions().keys()].map((source) => source.name);
    this.#deps.events.wrongBytes({ digest: this.#want.digest, sources });
    const blamed = this.#ledger.blame(this.#want, error);
    // Bytes of an earlier run may have been the wrong ones, but a fresh start has none of those.
    if (blamed === 0 && this.#attempt > 1) throw error;
    return false;
  }

  /** What readers had so far was proven by nobody: those who had other bytes than the blob's may not go on with it. */
  async #takeArrived(partial: Partial): Promise<boolean> {
    if (this.#hasGiven && !(await this.#agreesWithBlob(partial))) {
      this.#start.onSpoiled();
      this.#attempt += 1;
    }
    await partial.discard();
    return this.#keep(new Set());
  }

  /** False also when that cannot be told. */
  async #agreesWithBlob(partial: Partial): Promise<boolean> {
    const blob = await this.#deps.store.open(this.#want.digest).catch(() => undefined);
    if (blob === undefined) return false;
    try {
      return await hasSameBytes(partial, blob);
    } catch {
      return false;
    } finally {
      await blob.close();
    }
  }

  async #keep(given: ReadonlySet<FlightHold>): Promise<true> {
    await keepHolds(this.#deps.store, this.#want.digest, { given, wanted: this.#holds });
    return true;
  }

  #endIfUnwanted(): void {
    if (this.#holds.size > 0 || this.#readers > 0) return;
    this.cancel(new CodedError('CANCELLED', `Nobody wants "${this.#want.digest}" any more`));
  }

  #countPieces(result: PieceResult): void {
    const pieceSizeBytes = this.#partial?.pieceSizeBytes ?? 1;
    for (const [source, bytes] of this.#ledger.contributions()) {
      this.#deps.events.pieces(source.name, result, Math.ceil(bytes / pieceSizeBytes));
    }
  }

  #now(): { wallMs: number; monotonicMs: number } {
    return { wallMs: this.#deps.clock.now(), monotonicMs: this.#deps.clock.monotonicMs() };
  }
}

function notOpen(digest: Digest): CodedError {
  return new CodedError('UNAVAILABLE', `Download of "${digest}" is not open`);
}
