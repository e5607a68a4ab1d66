/** A set of small whole numbers in little memory: thousands of images on thousands of nodes are millions of pairs. */

const WORD_BITS = 32;

export class BitSet {
  readonly #words: Uint32Array;

  constructor(size: number) {
    this.#words = new Uint32Array(Math.ceil(size / WORD_BITS));
  }

  add(value: number): void {
    const at = value >>> 5;
    this.#words[at] = (this.#words[at] ?? 0) | (1 << (value & 31));
  }

  delete(value: number): void {
    const at = value >>> 5;
    this.#words[at] = (this.#words[at] ?? 0) & ~(1 << (value & 31));
  }

  has(value: number): boolean {
    return (((this.#words[value >>> 5] ?? 0) >>> (value & 31)) & 1) === 1;
  }

  /** Takes in all of `other`, which has the same size. */
  addAll(other: BitSet): void {
    other.#words.forEach((word, at) => {
      this.#words[at] = (this.#words[at] ?? 0) | word;
    });
  }

  get isEmpty(): boolean {
    return this.#words.every((word) => word === 0);
  }

  /** In ascending order. */
  forEach(visit: (value: number) => void): void {
    for (let at = 0; at < this.#words.length; at += 1) {
      for (let rest = this.#words[at] ?? 0; rest !== 0; rest &= rest - 1) {
        visit(at * WORD_BITS + 31 - Math.clz32(rest & -rest));
      }
    }
  }

  /** In ascending order. */
  toArray(): number[] {
    const values: number[] = [];
    this.forEach((value) => {
      values.push(value);
    });
    return values;
  }

  /** The same for sets with the same values. */
  key(): string {
    return Buffer.from(this.#words.buffer).toString('latin1');
  }
}
