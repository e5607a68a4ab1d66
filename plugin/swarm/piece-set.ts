/** Which pieces of a blob someone has: one bit a piece, the first in the highest bit of the first byte. Pure. */

export class PieceSet {
  readonly count: number;
  readonly #bits: Uint8Array;
  #size = 0;

  constructor(count: number) {
    this.count = count;
    this.#bits = new Uint8Array(Math.ceil(count / 8));
  }

  /** Undefined when the bytes are not those of so many pieces. */
  static parse(bytes: Uint8Array, count: number): PieceSet | undefined {
    if (bytes.length !== Math.ceil(count / 8)) return undefined;
    const set = new PieceSet(count);
    for (let piece = 0; piece < count; piece += 1) {
      if (((bytes[piece >> 3] ?? 0) & (0x80 >> (piece & 7))) !== 0) set.add(piece);
    }
    return set;
  }

  static full(count: number): PieceSet {
    const set = new PieceSet(count);
    for (let piece = 0; piece < count; piece += 1) set.add(piece);
    return set;
  }

  /** How many pieces are in it. */
  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size === this.count;
  }

  has(piece: number): boolean {
    return ((this.#bits[piece >> 3] ?? 0) & (0x80 >> (piece & 7))) !== 0;
  }

  /** @returns whether it is new; a piece beyond the last is ignored */
  add(piece: number): boolean {
    if (piece < 0 || piece >= this.count || this.has(piece)) return false;
    this.#bits[piece >> 3] = (this.#bits[piece >> 3] ?? 0) | (0x80 >> (piece & 7));
    this.#size += 1;
    return true;
  }

  remove(piece: number): void {
    if (!this.has(piece)) return;
    this.#bits[piece >> 3] = (this.#bits[piece >> 3] ?? 0) & ~(0x80 >> (piece & 7));
    this.#size -= 1;
  }

  /** A copy, as it goes on the wire. */
  bytes(): Uint8Array {
    return this.#bits.slice();
  }

  /** Pieces that are not in it, lowest first. */
  *missing(): Iterable<number> {
    for (let piece = 0; piece < this.count; piece += 1) if (!this.has(piece)) yield piece;
  }
}
