/**
 * What members said they would do, by Lamport time: join or leave. The newest counts; told again it is no news, so a
 * rumour ends. (serf `serf.go` handleNodeJoinIntent, handleNodeLeaveIntent)
 */
import { INTENTS_MAX } from '../limits.ts';

interface Heard {
  readonly kind: 'join' | 'leave';
  readonly time: number;
}

export class Intents {
  /** In the order of their last change, so that the oldest is forgotten first. */
  readonly #heard = new Map<string, Heard>();

  /** @returns true when it is newer than what we knew */
  hear(name: string, kind: Heard['kind'], time: number): boolean {
    const known = this.#heard.get(name);
    if (known !== undefined && time <= known.time) return false;
    this.#put(name, { kind, time });
    return true;
  }

  timeOf(name: string): number {
    return this.#heard.get(name)?.time ?? 0;
  }

  isLeaving(name: string): boolean {
    return this.#heard.get(name)?.kind === 'leave';
  }

  /** The member is back: whatever it said about leaving is over. */
  settle(name: string): void {
    const known = this.#heard.get(name);
    if (known !== undefined) this.#put(name, { kind: 'join', time: known.time });
  }

  #put(name: string, heard: Heard): void {
    this.#heard.delete(name);
    this.#heard.set(name, heard);
    const [oldest] = this.#heard.keys();
    if (this.#heard.size > INTENTS_MAX && oldest !== undefined) this.#heard.delete(oldest);
  }
}
