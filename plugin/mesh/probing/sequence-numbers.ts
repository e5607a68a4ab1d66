/** Numbers that tie answers to questions; 32 bits, around again at the end. */
export class SequenceNumbers {
  #last = 0;

  next(): number {
    this.#last = (this.#last + 1) % 2 ** 32;
    return this.#last;
  }
}
