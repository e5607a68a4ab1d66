/**
 * The window over one blob: at most two stretches of its bytes, and the one being read ahead. Each stretch is a buffer
 * of its own that is never written again, because what was given out may still be on its way to a socket.
 */

/** Bytes that a window reads from: a whole blob's, or those that a flight has so far. */
export interface WindowBytes {
  /** How many bytes can be read from `offset` on without waiting. */
  readableAt(offset: number): number;
  read(into: Uint8Array, offset: number): Promise<number>;
  /** True when they must be opened again: the flight that they belonged to is over. */
  isStale(): boolean;
  close(): Promise<void>;
}

/** Bytes of one stretch: large enough that reading costs little, small enough for many windows. */
export const STRETCH_BYTES = 1024 * 1024;
/** Two that are held and one that is being read. */
const STRETCHES_MAX = 3;

interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly buffer: Uint8Array;
}

interface Loading {
  readonly start: number;
  readonly length: number;
  readonly done: Promise<Stretch>;
}

export class BlobWindow {
  static readonly bytesMax = STRETCHES_MAX * STRETCH_BYTES;
  readonly #open: () => Promise<WindowBytes>;
  #opened: Promise<WindowBytes> | undefined;
  /** Set once opened, for decisions that may not wait. */
  #source: WindowBytes | undefined;
  #stretches: readonly Stretch[] = [];
  #loading: Loading | undefined;
  readonly #taking = new Set<Promise<unknown>>();
  /** Where a reader goes on that reads one after another. */
  #cursor = 0;
  #usedAtMs = 0;
  #isClosed = false;

  constructor(open: () => Promise<WindowBytes>) {
    this.#open = open;
  }

  get usedAtMs(): number {
    return this.#usedAtMs;
  }

  get bytes(): number {
    return this.#stretches.reduce((sum, { buffer }) => sum + buffer.length, this.#loading?.length ?? 0);
  }

  use(nowMs: number): void {
    this.#usedAtMs = nowMs;
  }

  /** The whole range, or undefined. */
  now(start: number, end: number): Uint8Array | undefined {
    const [first, second] = this.#stretches;
    if (first !== undefined && start >= first.start && end <= first.end) return this.#give(first, start, end);
    if (second === undefined || start >= second.end || end > second.end) return undefined;
    if (start >= second.start) return this.#give(second, start, end);
    if (first === undefined || start < first.start || first.end !== second.start) return undefined;
    const head = first.buffer.subarray(start - first.start);
    return Buffer.concat([head, this.#give(second, second.start, end)], end - start);
  }

  /** At least one byte from `start` on; none when a flight has lost it meanwhile. */
  take(start: number, end: number): Promise<Uint8Array> {
    const taking = this.#take(start, end);
    const forget = () => {
      this.#taking.delete(taking);
    };
    this.#taking.add(taking);
    taking.then(forget, forget);
    return taking;
  }

  /** Lets those who are reading finish first. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stretches = [];
    await Promise.allSettled([...this.#taking, this.#loading?.done]);
    const opened = this.#opened;
    this.#opened = undefined;
    await (await opened)?.close();
  }

  async #take(start: number, end: number): Promise<Uint8Array> {
    for (;;) {
      const held = this.#heldFrom(start, end);
      if (held !== undefined) return held;
      const loading = this.#loading;
      if (loading === undefined) break;
      await loading.done;
      if (start < loading.start || start >= loading.start + loading.length) break;
    }
    const source = await this.#sourceNow();
    // A reader that jumps about gets what it asks for; one that goes on, or begins, gets a stretch.
    if (start !== 0 && start !== this.#cursor) return this.#readApart(source, start, end);
    const stretch = await this.#load(source, start);
    if (stretch === undefined) return this.#readApart(source, start, end);
    return this.#give(stretch, start, Math.min(end, stretch.end));
  }

  #heldFrom(start: number, end: number): Uint8Array | undefined {
    const stretch = this.#stretches.find((one) => start >= one.start && start < one.end);
    return stretch && this.#give(stretch, start, Math.min(end, stretch.end));
  }

  #give(stretch: Stretch, start: number, end: number): Uint8Array {
    this.#cursor = end;
    if (stretch === this.#stretches.at(-1) && start > 0) this.#readAhead(stretch.end);
    return stretch.buffer.subarray(start - stretch.start, end - stretch.start);
  }

  /** Begins to read the next stretch, when nothing is being read. */
  #readAhead(start: number): void {
    const source = this.#source;
    if (source === undefined || source.isStale() || this.#loading !== undefined || this.#isClosed) return;
    if (source.readableAt(start) > 0) this.#load(source, start)?.catch(() => undefined);
  }

  /** Reads a stretch and puts it behind the last one; undefined when another one is being read meanwhile. */
  #load(source: WindowBytes, start: number): Promise<Stretch> | undefined {
    if (this.#loading !== undefined) return undefined;
    const length = Math.min(STRETCH_BYTES, source.readableAt(start));
    const done = readStretch(source, start, length).then(
      (stretch) => {
        this.#loading = undefined;
        this.#keep(stretch);
        return stretch;
      },
      (error: unknown) => {
        this.#loading = undefined;
        throw error;
      },
    );
    this.#loading = { start, length, done };
    return done;
  }

  #keep(stretch: Stretch): void {
    if (this.#isClosed || stretch.end === stretch.start) return;
    const last = this.#stretches.at(-1);
    this.#stretches = last?.end === stretch.start ? [last, stretch] : [stretch];
  }

  async #readApart(source: WindowBytes, start: number, end: number): Promise<Uint8Array> {
    const length = Math.min(end - start, STRETCH_BYTES, source.readableAt(start));
    const { buffer } = await readStretch(source, start, length);
    this.#cursor = start + buffer.length;
    return buffer;
  }

  async #sourceNow(): Promise<WindowBytes> {
    const opened = await this.#opened;
    if (opened?.isStale()) {
      this.#opened = undefined;
      this.#source = undefined;
      await opened.close();
    }
    this.#opened ??= this.#open();
    this.#source = await this.#opened;
    return this.#source;
  }
}

async function readStretch(source: WindowBytes, start: number, length: number): Promise<Stretch> {
  const buffer = Buffer.allocUnsafeSlow(length);
  const count = await source.read(buffer, start);
  return { start, end: start + count, buffer: count === length ? buffer : buffer.subarray(0, count) };
}
