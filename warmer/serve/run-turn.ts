/** One run at a time: whoever wants one while it goes on shares the next. */
export class RunTurn<Reason> {
  readonly #run: (reason: Reason) => Promise<void>;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(run: (reason: Reason) => Promise<void>) {
    this.#run = run;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Resolves once a run that began after this call is over. */
  request(reason: Reason): Promise<void> {
    if (this.#running === undefined) return this.#begin(reason);
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.#begin(reason);
    });
    return this.#next;
  }

  /** Resolves once nothing runs. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #begin(reason: Reason): Promise<void> {
    const running = this.#run(reason).finally(() => {
      this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}
