/**
 * Pulls that are left to others: registries that say how many remain (Docker Hub) are not asked for manifests once only
 * the reserve is left. Asking by HEAD is free. Pure but for the clock.
 */
import { BoundedMap } from '../../core/runtime/bounded-map.ts';
import type { RateLimit } from '../../core/registry/registry-client.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';

const REGISTRIES_MAX = 1024;
/** Docker Hub's window, for registries that do not say theirs, milliseconds. */
const WINDOW_MS = 21_600_000;

interface Seen {
  readonly remaining: number;
  readonly endsAtMs: number;
  /** Pulls since the registry said so. */
  readonly pulled: number;
}

export class RegistryReserve {
  readonly #clock: Clock;
  readonly #reserve: number;
  readonly #seen = new BoundedMap<string, Seen>({ entriesMax: REGISTRIES_MAX });

  constructor(clock: Clock, options: { reserve: number }) {
    this.#clock = clock;
    this.#reserve = options.reserve;
  }

  /** To be told of every limit: a registry observer's `onRateLimit`. */
  saw({ registry, remaining, windowSeconds }: RateLimit & { registry: string }): void {
    const windowMs = windowSeconds === undefined ? WINDOW_MS : windowSeconds * 1000;
    this.#seen.set(registry, { remaining, endsAtMs: this.#clock.monotonicMs() + windowMs, pulled: 0 });
  }

  /**
   * Counts one pull.
   * @throws CodedError RESOURCE_EXHAUSTED when only the reserve is left
   */
  take(registry: string): void {
    const seen = this.#seen.get(registry);
    if (seen === undefined || seen.endsAtMs <= this.#clock.monotonicMs()) return;
    const left = seen.remaining - seen.pulled;
    if (left <= this.#reserve) {
      throw new CodedError(
        'RESOURCE_EXHAUSTED',
        `Registry "${registry}" has ${left} pulls left, and ${this.#reserve} are kept for others`,
      );
    }
    this.#seen.set(registry, { ...seen, pulled: seen.pulled + 1 });
  }
}
