/** What is to be told of many nodes, for one reader that may be slow: of one image on one node only the latest is kept, and an end never gets lost. */
import type { SeedStep } from '../seed.ts';

export class StepQueue implements AsyncIterable<SeedStep> {
  /** At most one entry for each (node, image). */
  readonly #waiting = new Map<string, SeedStep>();
  #isClosed = false;
  #failure: { readonly error: unknown } | undefined;
  #wake = Promise.withResolvers<void>();

  put(step: SeedStep): void {
    const key = `${step.row.image} ${step.node}`;
    // Behind the others again: what is told next is what waits longest.
    this.#waiting.delete(key);
    this.#waiting.set(key, step);
    this.#wake.resolve();
  }

  /** What waits is still told. */
  close(failure?: { readonly error: unknown }): void {
    this.#isClosed = true;
    this.#failure ??= failure;
    this.#wake.resolve();
  }

  /** For one reader. @throws what it was closed with */
  async *[Symbol.asyncIterator](): AsyncGenerator<SeedStep, void> {
    for (;;) {
      const next = this.#waiting.entries().next();
      if (!next.done) {
        const [key, step] = next.value;
        this.#waiting.delete(key);
        yield step;
      } else if (this.#isClosed) {
        if (this.#failure !== undefined) throw this.#failure.error;
        return;
      } else {
        await this.#wake.promise;
        this.#wake = Promise.withResolvers();
      }
    }
  }
}
