/** Timers as something passed in: the machine's, or a simulation's. */

export interface Scheduler {
  /** Monotonic milliseconds; only differences mean anything. */
  nowMs(): number;
  /** Runs `task` once after `ms`. @returns what takes it back; calling that late or twice is harmless */
  after(ms: number, task: () => void): () => void;
}

/** The machine's timers. They never keep the process alive alone. */
export const systemScheduler: Scheduler = {
  nowMs: () => performance.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
