/** A task again and again, its first time at a random moment within the interval, so that members do not beat together. */
import type { Scheduler } from '../scheduler.ts';

export interface TickerDeps {
  readonly scheduler: Scheduler;
  readonly random: () => number;
  /** Asked before each wait, milliseconds. */
  readonly intervalMs: () => number;
  readonly run: () => void;
}

export class Ticker {
  readonly #deps: TickerDeps;
  #cancel: (() => void) | undefined;

  constructor(deps: TickerDeps) {
    this.#deps = deps;
  }

  start(): void {
    const { scheduler, random, intervalMs } = this.#deps;
    this.#cancel = scheduler.after(random() * intervalMs(), () => this.#wait());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(): void {
    const { scheduler, intervalMs, run } = this.#deps;
    this.#cancel = scheduler.after(intervalMs(), () => {
      this.#wait();
      run();
    });
  }
}
