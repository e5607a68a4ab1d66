/** Simulated time: tasks run in the order of their moments, and nothing waits. */
import type { Scheduler } from '../../../plugin/mesh/scheduler.ts';

interface Timer {
  readonly atMs: number;
  readonly id: number;
  task: (() => void) | undefined;
}

export class EventLoop implements Scheduler {
  /** A binary heap by moment, then by age. */
  readonly #heap: Timer[] = [];
  #nowMs = 0;
  #nextId = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, task: () => void): () => void {
    this.#nextId += 1;
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, ms), id: this.#nextId, task };
    this.#heap.push(timer);
    this.#rise(this.#heap.length - 1);
    return () => {
      timer.task = undefined;
    };
  }

  /** Lets `ms` pass, or less when `isDone` says so after a task. @returns true when it did */
  run(ms: number, isDone: () => boolean = () => false): boolean {
    const endMs = this.#nowMs + ms;
    for (let [first] = this.#heap; first !== undefined && first.atMs <= endMs; [first] = this.#heap) {
      this.#removeFirst();
      if (first.task === undefined) continue;
      this.#nowMs = first.atMs;
      first.task();
      if (isDone()) return true;
    }
    this.#nowMs = endMs;
    return false;
  }

  #rise(start: number): void {
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    for (let at = 0; ; ) {
      const left = at * 2 + 1;
      const child = left + 1 < this.#heap.length && this.#isBefore(left + 1, left) ? left + 1 : left;
      if (child >= this.#heap.length || !this.#isBefore(child, at)) return;
      this.#swap(at, child);
      at = child;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one === undefined || other === undefined) return false;
    return one.atMs < other.atMs || (one.atMs === other.atMs && one.id < other.id);
  }

  #swap(a: number, b: number): void {
    const held = this.#heap[a] as Timer;
    this.#heap[a] = this.#heap[b] as Timer;
    this.#heap[b] = held;
  }
}
