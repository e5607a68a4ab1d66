/**
 * Which tasks may run now: in the order of their urgency, a wave after the one before it, no node in two at once, and no more nodes at once
 * than are allowed. A state machine without a clock.
 */
import type { SeedTask } from './seed-tasks.ts';

/** Requests at once: a node relays a few of them, each for many others. */
const TASKS_MAX = 6;

export class TaskQueue {
  readonly #nodesAtOnce: number;
  readonly #waiting: SeedTask[];
  readonly #ended = new Set<number>();
  readonly #running = new Map<number, SeedTask>();
  readonly #busy = new Set<string>();

  constructor(tasks: readonly SeedTask[], options: { nodesAtOnce: number }) {
    this.#waiting = [...tasks];
    this.#nodesAtOnce = options.nodesAtOnce;
  }

  get isDone(): boolean {
    return this.#waiting.length === 0 && this.#running.size === 0;
  }

  /** How many of a task's nodes may be served at once. */
  weightOf({ nodes }: SeedTask): number {
    return Math.max(1, Math.min(nodes.length, this.#nodesAtOnce));
  }

  /** Tasks that start now; each has to be ended. */
  start(): SeedTask[] {
    const started: SeedTask[] = [];
    for (const task of [...this.#waiting]) {
      if (this.#running.size >= TASKS_MAX) break;
      if (!this.#isReady(task)) continue;
      // Nobody less urgent slips past one that only waits for room.
      if (!this.#fits(task)) break;
      this.#waiting.splice(this.#waiting.indexOf(task), 1);
      this.#running.set(task.id, task);
      for (const { name } of task.nodes) this.#busy.add(name);
      started.push(task);
    }
    return started;
  }

  end(task: SeedTask): void {
    this.#running.delete(task.id);
    this.#ended.add(task.id);
    for (const { name } of task.nodes) this.#busy.delete(name);
  }

  #isReady({ after, nodes }: SeedTask): boolean {
    return (after === undefined || this.#ended.has(after)) && nodes.every(({ name }) => !this.#busy.has(name));
  }

  #fits(task: SeedTask): boolean {
    if (this.#running.size === 0) return true;
    const used = [...this.#running.values()].reduce((sum, one) => sum + this.weightOf(one), 0);
    return used + this.weightOf(task) <= this.#nodesAtOnce;
  }
}
