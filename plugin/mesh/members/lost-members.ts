/**
 * Members that are gone, kept longer than the protocol needs: they are shown, and those that failed are tried again now and
 * then, so that a mesh that fell apart for long grows together. (serf `serf.go` reconnect, reap)
 */
import { LOST_MEMBERS_MAX } from '../limits.ts';
import type { MemberRecord } from './member-record.ts';

/** serf: `ReconnectTimeout`, `TombstoneTimeout`. */
const KEPT_MS = 24 * 3_600_000;

export class LostMembers {
  /** In the order of their going. */
  readonly #lost = new Map<string, MemberRecord>();

  records(): IterableIterator<MemberRecord> {
    return this.#lost.values();
  }

  add(record: MemberRecord): void {
    this.#lost.delete(record.name);
    this.#lost.set(record.name, record);
    const [oldest] = this.#lost.keys();
    if (this.#lost.size > LOST_MEMBERS_MAX && oldest !== undefined) this.#lost.delete(oldest);
  }

  remove(name: string): void {
    this.#lost.delete(name);
  }

  settleLeft(name: string): void {
    const record = this.#lost.get(name);
    if (record !== undefined) this.#lost.set(name, { ...record, state: 'left' });
  }

  /**
   * One that failed, to be tried now; undefined mostly: all `alive` members together try each failed one about once an
   * interval.
   */
  pickToRetry(facts: { alive: number; nowMs: number; random: () => number }): MemberRecord | undefined {
    for (const record of this.#lost.values())
      if (facts.nowMs - record.sinceMs > KEPT_MS) this.#lost.delete(record.name);
    const failed = [...this.#lost.values()].filter(({ state }) => state === 'dead');
    if (facts.random() > failed.length / Math.max(1, facts.alive)) return undefined;
    return failed[Math.floor(facts.random() * failed.length)];
  }
}
