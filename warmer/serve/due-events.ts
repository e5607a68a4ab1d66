/** Which events have to be warmed now, and which are done with. A state machine; time comes in. */
import type { PlannedEvent } from '../plan/plan.ts';

const RETRY_BASE_MS = 30_000;
const RETRY_CAP_MS = 300_000;
/** More at once than a fleet has; the oldest are forgotten, and at worst looked at again. */
const KNOWN_MAX = 100_000;

/** What has no time of its own goes on being due: its pins are renewed so often, milliseconds. */
const RENEW_MS = 1_800_000;

interface Known {
  at: number;
  /** undefined: it is not. */
  warmAtMs: number | undefined;
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
      if (known === undefined) return true;
      // Still announced, so not over.
      known.at = Math.max(known.at, event.at);
      if (known.warmAtMs === undefined) return known.nextTryMs <= nowMs;
      return isTimeless(event) && nowMs - known.warmAtMs >= RENEW_MS;
    });
  }

  /** When the next look has something to do; undefined: nothing is coming. */
  nextMs(events: readonly PlannedEvent[], nowMs: number): number | undefined {
    let next: number | undefined;
    for (const event of events) {
      const known = this.#known.get(keyOf(event));
      if (known?.warmAtMs !== undefined) continue;
      const time = known === undefined ? event.startByMs : Math.max(event.startByMs, known.nextTryMs);
      if (time > nowMs && (next === undefined || time < next)) next = time;
    }
    return next;
  }

  /** @returns true the first time that it is warm */
  warm(event: PlannedEvent, nowMs: number): boolean {
    const known = this.#of(event);
    const isFirst = known.warmAtMs === undefined;
    known.warmAtMs = nowMs;
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
    const known = this.#known.get(key) ?? { at: event.at, warmAtMs: undefined, attempts: 0, nextTryMs: 0 };
    this.#known.set(key, known);
    return known;
  }
}

/** What has no time of its own is due as long as it stands there, and with other images it is another. */
function keyOf(event: PlannedEvent): string {
  const { kind, namespace, name, at, images } = event;
  return JSON.stringify([kind, namespace, name, isTimeless(event) ? images.join(' ') : `${at}`]);
}

/** A paused rollout and its like: announced as due whenever somebody looks. */
function isTimeless({ schedule }: PlannedEvent): boolean {
  return schedule === undefined;
}
