/** Time that passes as fast as the machine allows: sleepers in a heap, woken in order, the event loop emptied in between. */
import type { Clock } from '../../../core/runtime/clock.ts';

/** Wake-ups are gathered on this grid, milliseconds. */
const GRID_MS = 0.5;

interface Sleeper {
  readonly atMs: number;
  wake: (() => void) | undefined;
}

export class SimClock implements Clock {
  #nowMs = 1_000;
  readonly #heap: Sleeper[] = [];

  now(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, options?: { signal?: AbortSignal }): Promise<void> {
    const signal = options?.signal;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper: Sleeper = {
        atMs: Math.ceil((this.#nowMs + Math.max(0, ms)) / GRID_MS) * GRID_MS,
        wake: undefined,
      };
      if (signal === undefined) sleeper.wake = resolve;
      else {
        const onAbort = () => {
          sleeper.wake = undefined;
          reject(signal.reason);
        };
        signal.addEventListener('abort', onAbort, { once: true });
        sleeper.wake = () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        };
      }
      this.#push(sleeper);
    });
  }

  /** Lets time pass until `isDone`, or for `limitMs`. @returns whether it is done */
  async run(isDone: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.#nowMs + limitMs;
    await drain();
    while (!isDone()) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > endMs) {
        this.#nowMs = endMs;
        return isDone();
      }
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      while (this.#heap[0] !== undefined && this.#heap[0].atMs <= this.#nowMs) this.#pop()?.wake?.();
      await drain();
    }
    return true;
  }

  #push(sleeper: Sleeper): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(sleeper);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.atMs <= sleeper.atMs) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = sleeper;
  }

  #pop(): Sleeper | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      const child =
        (heap[right]?.atMs ?? Number.POSITIVE_INFINITY) < (heap[left]?.atMs ?? Number.POSITIVE_INFINITY) ? right : left;
      const below = heap[child];
      if (below === undefined || below.atMs >= last.atMs) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

/** Lets everything run that waits for nothing but its turn. */
export function drain(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
