/**
 * Wall time finer than a millisecond. containerd compares the store's times with its own nanosecond clock: a time cut
 * down to a whole millisecond would lie before the call that made it (containerd `core/content/testsuite`, checkStatus).
 */
import type { Clock } from '../../core/runtime/clock.ts';

/**
 * A function that gives milliseconds since the epoch with a fraction. It follows the monotonic clock within the
 * millisecond that `clock.now()` names, so it never disagrees with the wall clock by a millisecond or more.
 */
export function createWallTime(clock: Clock): () => number {
  let offsetMs = firstOffset(clock);
  return () => {
    const wall = clock.now();
    const monotonic = clock.monotonicMs();
    const fine = monotonic + offsetMs;
    if (fine >= wall && fine < wall + 1) return fine;
    offsetMs = (fine < wall ? wall : wall + 0.999) - monotonic;
    return monotonic + offsetMs;
  };
}

/** The process's own start time is known to the microsecond; another clock starts at its whole millisecond. */
function firstOffset(clock: Clock): number {
  const monotonic = clock.monotonicMs();
  const wall = clock.now();
  const fromOrigin = performance.timeOrigin + monotonic;
  return fromOrigin >= wall && fromOrigin < wall + 1 ? performance.timeOrigin : wall - monotonic;
}
