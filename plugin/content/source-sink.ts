/** The sink that one try of one source fills. It dies with its try, so that a source that ignores its signal can do no harm. */
import type { Digest } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { ByteRange, Partial } from '../store/partial-store.ts';
import type { FlightSink } from './blob-source.ts';
import type { ReaderWaits } from './reader-waits.ts';

export interface SourceSinkDeps {
  readonly partial: FilledPartial;
  readonly waits: ReaderWaits;
  /** Told of every new byte. */
  readonly onBytes: (count: number) => void;
  /** Bytes come that cannot be stored yet. */
  readonly onMoving: () => void;
  /** Bytes that readers may have had are about to be taken out, or were. */
  readonly onForget: () => void;
}

/** What a source's bytes need of a download. */
export type FilledPartial = Pick<Partial, 'digest' | 'size' | 'missing' | 'bytesPresent' | 'write' | 'forget'>;

export class SourceSink implements FlightSink {
  readonly digest: Digest;
  readonly size: number;
  readonly #deps: SourceSinkDeps;
  readonly #writing = new Set<Promise<void>>();
  #isClosed = false;
  #failure: unknown;

  constructor(deps: SourceSinkDeps) {
    this.#deps = deps;
    this.digest = deps.partial.digest;
    this.size = deps.partial.size;
  }

  /** Why bytes could not be stored: no fault of the source. */
  get failure(): unknown {
    return this.#failure;
  }

  nextGap(maxBytes?: number): ByteRange | undefined {
    return this.urgentGap(maxBytes) ?? clip(this.#deps.partial.missing(0), maxBytes);
  }

  urgentGap(maxBytes?: number): ByteRange | undefined {
    for (const offset of this.#deps.waits.offsets()) {
      const gap = this.#deps.partial.missing(offset);
      if (gap !== undefined) return clip(gap, maxBytes);
    }
    return undefined;
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    if (this.#isClosed) throw new CodedError('CANCELLED', `Writing to the flight of "${this.digest}" after its end`);
    const writing = this.#store(offset, bytes);
    this.#writing.add(writing);
    try {
      await writing;
    } finally {
      this.#writing.delete(writing);
    }
  }

  moving(): void {
    if (!this.#isClosed) this.#deps.onMoving();
  }

  async forget(range: ByteRange): Promise<void> {
    if (this.#isClosed) return;
    const { partial, onForget } = this.#deps;
    onForget();
    await partial.forget(range);
    // Whoever read them meanwhile.
    onForget();
  }

  /** Takes no more bytes; resolves when those under way are stored. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#writing);
  }

  async #store(offset: number, bytes: Uint8Array): Promise<void> {
    const { partial, waits, onBytes } = this.#deps;
    const before = partial.bytesPresent();
    try {
      await partial.write(offset, bytes);
    } catch (error) {
      // Bytes beyond the end are the source's fault; everything else is this disk's.
      if (!(error instanceof CodedError && error.code === 'OUT_OF_RANGE')) this.#failure ??= error;
      throw error;
    }
    const count = partial.bytesPresent() - before;
    if (count > 0) onBytes(count);
    waits.wakeReady((at) => partial.missing(at)?.start !== at);
  }
}

function clip(gap: ByteRange | undefined, maxBytes = Number.POSITIVE_INFINITY): ByteRange | undefined {
  return gap && { start: gap.start, end: Math.min(gap.end, gap.start + maxBytes) };
}
