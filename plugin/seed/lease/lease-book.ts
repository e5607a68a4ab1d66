/** What an owner knows of leases. Pure: time comes in. */
import { CodedError } from '../../../core/runtime/errors.ts';
import { LEASES_MAX } from '../limits.ts';
import type { LeaseAsk, LeaseWord } from '../seed.ts';

export interface LeaseState {
  readonly name: string;
  /** Empty: nobody. */
  readonly holder: string;
  /** Rises with each change of holder. */
  readonly fencing: number;
  readonly remainingMs: number;
}

interface Entry {
  readonly holder: string;
  readonly fencing: number;
  readonly untilMs: number;
}

export class LeaseBook {
  readonly #entries = new Map<string, Entry>();

  /** `nowMs`: monotonic. */
  look(name: string, nowMs: number): LeaseState {
    const entry = this.#entries.get(name);
    if (entry === undefined) return { name, holder: '', fencing: 0, remainingMs: 0 };
    const remainingMs = Math.max(0, entry.untilMs - nowMs);
    return { name, holder: remainingMs > 0 ? entry.holder : '', fencing: entry.fencing, remainingMs };
  }

  /** Another owner's word: the higher fencing counts, of equal ones the later end. */
  learn(state: LeaseState, nowMs: number): void {
    const known = this.#entries.get(state.name);
    const untilMs = nowMs + state.remainingMs;
    const isNewer = known === undefined || state.fencing > known.fencing;
    if (state.fencing === 0) return;
    if (isNewer || (state.fencing === known.fencing && untilMs > known.untilMs)) {
      this.#put(state.name, { holder: state.holder, fencing: state.fencing, untilMs }, nowMs);
    }
  }

  /** @throws CodedError RESOURCE_EXHAUSTED when there is no place for another name */
  decide(ask: LeaseAsk, nowMs: number): LeaseWord {
    const now = this.look(ask.name, nowMs);
    const isOwn = now.holder === ask.holder;
    if (ask.action === 'release') {
      // With a fencing of its own, so that it goes before what others still know of the lease.
      if (isOwn) this.#put(ask.name, { holder: '', fencing: now.fencing + 1, untilMs: nowMs }, nowMs);
      return this.#word(ask, nowMs, false);
    }
    const mayHave = isOwn || (ask.action === 'acquire' && now.holder === '');
    if (!mayHave) return this.#word(ask, nowMs, false);
    const fencing = isOwn ? now.fencing : now.fencing + 1;
    this.#put(ask.name, { holder: ask.holder, fencing, untilMs: nowMs + ask.seconds * 1_000 }, nowMs);
    return this.#word(ask, nowMs, true);
  }

  #word({ name }: LeaseAsk, nowMs: number, isHeld: boolean): LeaseWord {
    const { holder, fencing, remainingMs } = this.look(name, nowMs);
    return { isHeld, fencing, remainingMs, ...(holder !== '' && { holder }) };
  }

  #put(name: string, entry: Entry, nowMs: number): void {
    if (!this.#entries.has(name) && this.#entries.size >= LEASES_MAX) this.#makePlace(nowMs);
    this.#entries.set(name, entry);
  }

  #makePlace(nowMs: number): void {
    for (const [name, { untilMs }] of this.#entries) {
      if (untilMs > nowMs) continue;
      this.#entries.delete(name);
      return;
    }
    throw new CodedError('RESOURCE_EXHAUSTED', `${LEASES_MAX} names have a lease already`);
  }
}
