/** A stream of bytes taken in portions of the taker's choice, which knows how far it is. */

export class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #offset = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Bytes taken so far. */
  get offset(): number {
    return this.#offset;
  }

  /** What comes next, at most `countMax` bytes; empty at the end. Valid until the next call. */
  async next(countMax: number): Promise<Uint8Array> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return this.#rest;
      this.#rest = value;
    }
    const taken = this.#rest.subarray(0, countMax);
    this.#rest = this.#rest.subarray(taken.length);
    this.#offset += taken.length;
    return taken;
  }

  /** The next `count` bytes as one, fewer only at the end. `count` is the caller's bound of memory. */
  async take(count: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    let left = count;
    while (left > 0) {
      const part = await this.next(left);
      if (part.length === 0) break;
      parts.push(Buffer.from(part));
      left -= part.length;
    }
    return Buffer.concat(parts);
  }

  /** Lets the stream go. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
