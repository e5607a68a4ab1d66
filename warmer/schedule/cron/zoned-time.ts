/**
 * An instant read in a time zone, with Go's own answers for local times that do not exist or exist twice
 * (`time.Date`), because robfig's search walks through them.
 */
import { zoneOffsetMs } from './zone-offset.ts';

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;

/** Immutable. Fields are those of the local calendar; `month` is 1 to 12, `weekday` 0 (Sunday) to 6. */
export class ZonedTime {
  readonly ms: number;
  readonly #zone: string;
  readonly #local: Date;

  constructor(ms: number, zone: string) {
    this.ms = ms;
    this.#zone = zone;
    this.#local = new Date(ms + zoneOffsetMs(zone, ms));
  }

  get year(): number {
    return this.#local.getUTCFullYear();
  }
  get month(): number {
    return this.#local.getUTCMonth() + 1;
  }
  get day(): number {
    return this.#local.getUTCDate();
  }
  get weekday(): number {
    return this.#local.getUTCDay();
  }
  get hour(): number {
    return this.#local.getUTCHours();
  }
  get minute(): number {
    return this.#local.getUTCMinutes();
  }
  get second(): number {
    return this.#local.getUTCSeconds();
  }

  startOfMonth(): ZonedTime {
    return this.#at(Date.UTC(this.year, this.month - 1, 1));
  }

  startOfDay(): ZonedTime {
    return this.#at(Date.UTC(this.year, this.month - 1, this.day));
  }

  startOfHour(): ZonedTime {
    return this.#at(Date.UTC(this.year, this.month - 1, this.day, this.hour));
  }

  /** Go's `Truncate`: of the instant, not of the calendar. */
  truncate(unitMs: number): ZonedTime {
    return new ZonedTime(Math.floor(this.ms / unitMs) * unitMs, this.#zone);
  }

  addMonth(): ZonedTime {
    return this.#sameClock(this.month, this.day);
  }

  addDay(): ZonedTime {
    return this.#sameClock(this.month - 1, this.day + 1);
  }

  add(ms: number): ZonedTime {
    return new ZonedTime(this.ms + ms, this.#zone);
  }

  addHours(hours: number): ZonedTime {
    return this.add(hours * HOUR_MS);
  }

  #sameClock(monthIndex: number, day: number): ZonedTime {
    return this.#at(Date.UTC(this.year, monthIndex, day, this.hour, this.minute, this.second));
  }

  /** Go guesses the offset as if the local time were UTC, then looks once more where that guess lands. */
  #at(localMs: number): ZonedTime {
    const guess = zoneOffsetMs(this.#zone, localMs);
    const offsetMs = guess === 0 ? 0 : zoneOffsetMs(this.#zone, localMs - guess);
    return new ZonedTime(localMs - offsetMs, this.#zone);
  }
}

/** The upcoming whole second. */
export function nextSecond(ms: number): number {
  return Math.floor(ms / SECOND_MS) * SECOND_MS + SECOND_MS;
}
