/** Work that nobody waits for: started here, ended with its owner, its failures told to one listener. */
export class Background {
  readonly #ending = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #onFailure: (error: unknown) => void;

  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Aborts when the owner stops. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  get hasEnded(): boolean {
    return this.#ending.signal.aborted;
  }

  /** Runs `task` unless the owner has stopped. What fails because of the stop is no failure. */
  spawn(task: (signal: AbortSignal) => Promise<void>): void {
    if (this.hasEnded) return;
    const running = task(this.signal).catch((error: unknown) => {
      if (!this.hasEnded) this.#onFailure(error);
    });
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
  }

  /** Aborts everything that runs and waits for its end. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#running);
  }
}
