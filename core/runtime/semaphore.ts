/** A bound on how many things run at once, first come, first served. */
import { CodedError } from './errors.ts';

export interface SemaphoreOptions {
  /** How many may run at once; one at least. */
  permits: number;
  /** How many may wait for a permit; one more is refused. */
  waitersMax: number;
}

/** A counting semaphore. It holds no timer and no resource, so it needs no closing. */
export class Semaphore {
  readonly #waitersMax: number;
  readonly #waiters: (() => void)[] = [];
  #free: number;

  constructor(options: SemaphoreOptions) {
    this.#free = options.permits;
    this.#waitersMax = options.waitersMax;
  }

  /** How many are waiting. */
  get waiting(): number {
    return this.#waiters.length;
  }

  /**
   * Waits for a permit.
   * @returns what gives it back; calling it again does nothing
   * @throws CodedError RESOURCE_EXHAUSTED when too many wait already; the signal's reason when it is aborted first
   */
  async acquire(options: { signal?: AbortSignal } = {}): Promise<() => void> {
    options.signal?.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(options.signal);
    let isHeld = true;
    return () => {
      if (isHeld) this.#release();
      isHeld = false;
    };
  }

  /** Runs `task` with a permit. Errors: those of `acquire`, and the task's own. */
  async run<T>(task: () => Promise<T>, options: { signal?: AbortSignal } = {}): Promise<T> {
    const release = await this.acquire(options);
    try {
      return await task();
    } finally {
      release();
    }
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiters.length >= this.#waitersMax) {
      return Promise.reject(
        new CodedError('RESOURCE_EXHAUSTED', `Wait for a permit is refused: ${this.#waitersMax} wait already`),
      );
    }
    return new Promise((resolve, reject) => {
      const onPermit = () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = () => {
        this.#waiters.splice(this.#waiters.indexOf(onPermit), 1);
        reject(signal?.reason);
      };
      this.#waiters.push(onPermit);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** A permit goes straight to the first waiter, so that nobody overtakes it. */
  #release(): void {
    const next = this.#waiters.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
