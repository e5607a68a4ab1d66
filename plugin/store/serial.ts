/** One after another: work on one thing that must not overlap, also when a caller does not wait. */

export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when everything asked before has ended, whichever way. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work, work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
