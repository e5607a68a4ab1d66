/** At most so many at once; the others wait in line. */

/** A counting lock for work of one kind. The line itself is bounded by whoever calls. */
export class Turns {
  #free: number;
  readonly #waiting: Array<() => void> = [];

  constructor(countMax: number) {
    this.#free = countMax;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#take();
    try {
      return await work();
    } finally {
      this.#give();
    }
  }

  async #take(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
