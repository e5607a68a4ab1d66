/** A Lamport clock: ahead of every time that it has seen. (serf `lamport.go`) */
export class LamportClock {
  /** From 1, so that a time of 0 means "never". */
  #time = 1;

  get time(): number {
    return this.#time;
  }

  increment(): void {
    this.#time += 1;
  }

  witness(time: number): void {
    if (time >= this.#time && time < Number.MAX_SAFE_INTEGER) this.#time = time + 1;
  }
}
