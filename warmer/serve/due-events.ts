/** Which events have to be warmed now, and which are done with. A state machine; time comes in. */
import type { PlannedEvent } from '../plan/plan.ts';

const RETRY_BASE_MS = 30_000;
const RETRY_CAP_MS = 300_000;
/** More at once than a fleet has; the oldest are forgotten, and at worst looked at again. */
const KNOWN_MAX = 100_000;

interface Known {
  readonly at: number;
  isWarm: boolean;
  attempts: number;
  nextTryMs: number;
}

export class DueEvents {
  readonly #known = new Map<string, Known>();

  /** Events whose time to begin has come. */
  due(events: readonly PlannedEvent[], nowMs: number): PlannedEvent[] {
    return events.filter((event) => {
      if (event.startByMs > nowMs) return false;
      const known = this.#known.get(keyOf(event));
      return known === undefined || (!known.isWarm && known.nextTryMs <= nowMs);
    });
  }

  /** When the next look has something to do; undefined: nothing is coming. */
  nextMs(events: readonly PlannedEvent[], nowMs: number): number | undefined {
    let next: number | undefined;
    for (const event of events) {
      const known = this.#known.get(keyOf(event));
      if (known?.isWarm === true) continue;
      const time = known === undefined ? event.startByMs : Math.max(event.startByMs, known.nextTryMs);
      if (time > nowMs && (next === undefined || time < next)) next = time;
    }
    return next;
  }

  /** @returns true the first time that it is warm */
  warm(event: PlannedEvent): boolean {
    const known = this.#of(event);
    const isFirst = !known.isWarm;
    known.isWarm = true;
    return isFirst;
  }

  /** @returns how often it was tried */
  failed(event: PlannedEvent, nowMs: number): number {
    const known = this.#of(event);
    known.attempts += 1;
    known.nextTryMs = nowMs + Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** (known.attempts - 1));
    return known.attempts;
  }

  /** Forgets what is over. */
  prune(nowMs: number): void {
    for (const [key, { at }] of this.#known) {
      if (at >= nowMs && this.#known.size <= KNOWN_MAX) continue;
      this.#known.delete(key);
    }
  }

  #of(event: PlannedEvent): Known {
    const key = keyOf(event);
    const known = this.#known.get(key) ?? { at: event.at, isWarm: false, attempts: 0, nextTryMs: 0 };
    this.#known.set(key, known);
    return known;
  }
}

/** What has no time of its own is due as long as it stands there, and with other images it is another. */
function keyOf({ kind, namespace, name, at, schedule, images, startByMs }: PlannedEvent): string {
  const time = schedule === undefined && startByMs <= at ? images.join(' ') : `${at}`;
  return JSON.stringify([kind, namespace, name, time]);
}
