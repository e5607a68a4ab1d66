/** Readers that wait for bytes of one flight: where each waits, and how it is woken. Knows neither disk nor source. */

interface Wait {
  /** The byte that is waited for; undefined when only the proof of the whole will do. */
  readonly offset: number | undefined;
  readonly wake: () => void;
  readonly fail: (error: unknown) => void;
  readonly signal: AbortSignal;
  readonly onAbort: () => void;
}

export class ReaderWaits {
  /** In the order in which they came: the first has waited longest. */
  readonly #waits = new Set<Wait>();

  /**
   * Resolves when woken. `offset` is the byte that is waited for, undefined for the end of the flight.
   * @throws the signal's reason, or what `failAll` was given
   */
  async until(offset: number | undefined, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((wake, fail) => {
      const wait: Wait = { offset, wake, fail, signal, onAbort: () => this.#end(wait, () => fail(signal.reason)) };
      this.#waits.add(wait);
      signal.addEventListener('abort', wait.onAbort, { once: true });
    });
  }

  /** Where readers wait for bytes, longest waiting first. */
  *offsets(): Iterable<number> {
    for (const { offset } of this.#waits) if (offset !== undefined) yield offset;
  }

  /** Wakes those whose byte is there. */
  wakeReady(isThere: (offset: number) => boolean): void {
    for (const wait of this.#waits) {
      if (wait.offset !== undefined && isThere(wait.offset)) this.#end(wait, wait.wake);
    }
  }

  /** Wakes everyone: the blob is whole, or starts again. */
  wakeAll(): void {
    for (const wait of this.#waits) this.#end(wait, wait.wake);
  }

  failAll(error: unknown): void {
    for (const wait of this.#waits) this.#end(wait, () => wait.fail(error));
  }

  /** Removed at once, so that nobody fetches for a reader that has been told. */
  #end(wait: Wait, tell: () => void): void {
    this.#waits.delete(wait);
    wait.signal.removeEventListener('abort', wait.onAbort);
    tell();
  }
}
