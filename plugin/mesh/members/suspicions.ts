/** Running suspicions: each ends the sooner the more members confirm it. (memberlist `suspicion.go`) */
import type { Scheduler } from '../scheduler.ts';
import { suspicionLeftMs } from './formulas.ts';

export interface SuspicionTerms {
  /** Who suspected first; its own rumour coming back confirms nothing. */
  readonly from: string;
  /** Confirmations that shorten it to `leastMs`; 0: none are expected, so it lasts `leastMs`. */
  readonly wanted: number;
  readonly leastMs: number;
  readonly mostMs: number;
}

interface Suspicion extends SuspicionTerms {
  readonly startedMs: number;
  readonly confirmedBy: Set<string>;
  cancel: () => void;
}

export class Suspicions {
  readonly #scheduler: Scheduler;
  readonly #onEnd: (name: string) => void;
  readonly #running = new Map<string, Suspicion>();

  /** `onEnd` is called with a member's name when nobody has cleared it in time. */
  constructor(deps: { scheduler: Scheduler; onEnd: (name: string) => void }) {
    this.#scheduler = deps.scheduler;
    this.#onEnd = deps.onEnd;
  }

  start(name: string, terms: SuspicionTerms): void {
    this.clear(name);
    const suspicion: Suspicion = {
      ...terms,
      startedMs: this.#scheduler.nowMs(),
      confirmedBy: new Set(),
      cancel: () => undefined,
    };
    this.#running.set(name, suspicion);
    this.#arm(name, suspicion, terms.wanted < 1 ? terms.leastMs : terms.mostMs);
  }

  /** @returns true when this is news, which is worth telling others */
  confirm(name: string, from: string): boolean {
    const suspicion = this.#running.get(name);
    if (suspicion === undefined || suspicion.confirmedBy.size >= suspicion.wanted) return false;
    if (from === suspicion.from || suspicion.confirmedBy.has(from)) return false;
    suspicion.confirmedBy.add(from);
    const elapsedMs = this.#scheduler.nowMs() - suspicion.startedMs;
    const leftMs = suspicionLeftMs({ ...suspicion, confirmations: suspicion.confirmedBy.size, elapsedMs });
    suspicion.cancel();
    this.#arm(name, suspicion, Math.max(0, leftMs));
    return true;
  }

  clear(name: string): void {
    this.#running.get(name)?.cancel();
    this.#running.delete(name);
  }

  stop(): void {
    for (const name of [...this.#running.keys()]) this.clear(name);
  }

  #arm(name: string, suspicion: Suspicion, ms: number): void {
    suspicion.cancel = this.#scheduler.after(ms, () => {
      this.#running.delete(name);
      this.#onEnd(name);
    });
  }
}
