/**
 * serf's user events and queries mean nothing to us, but agents in one mesh with us count on everybody passing them on: each
 * once, and none that is long over, so that a replayed one dies here.
 */
import { createHash } from 'node:crypto';
import type { LamportClock } from './lamport-clock.ts';

/** serf: `EventBuffer`, `QueryBuffer`: Lamport times that are still news. */
const RECENT_TIMES = 512;
/** Events of which we know that we passed them on; more than agents send in a minute. */
const REMEMBERED_MAX = 4_096;

export class PassedEvents {
  readonly #seen = new Set<string>();

  /** @returns true when `message`, of Lamport time `time`, is to be passed on */
  isNews(message: Uint8Array, time: number, clock: LamportClock): boolean {
    clock.witness(time);
    if (time + RECENT_TIMES < clock.time) return false;
    const mark = createHash('sha1').update(message).digest('base64');
    if (this.#seen.has(mark)) return false;
    this.#seen.add(mark);
    const [oldest] = this.#seen;
    if (this.#seen.size > REMEMBERED_MAX && oldest !== undefined) this.#seen.delete(oldest);
    return true;
  }
}
