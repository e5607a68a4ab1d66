/** Running something for as long as it moves: a watchdog over progress, not over duration. */
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';

export interface Watch {
  readonly clock: Clock;
  /** Ends the run from outside. */
  readonly signal: AbortSignal;
  /** Milliseconds that may pass without a move. Asked again each time, so it may change. */
  readonly limitMs: () => number;
  /** When it moved last, by the clock's monotonic reading. */
  readonly movedAtMs: () => number;
  /** Ends the message: `<what> for <n> ms`. */
  readonly what: string;
}

/**
 * Runs `run` until it ends, the signal aborts or nothing moves for the limit; does not wait for a run that ignores its signal.
 * @throws CodedError UNAVAILABLE when nothing moved; the signal's reason; what `run` throws
 */
export async function whileMoving<T>(watch: Watch, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const running = new AbortController();
  const onAbort = () => running.abort(watch.signal.reason);
  if (watch.signal.aborted) onAbort();
  watch.signal.addEventListener('abort', onAbort, { once: true });
  const ended = new AbortController();
  try {
    running.signal.throwIfAborted();
    const work = run(running.signal);
    return await Promise.race([work, abortOf(running.signal), guard(watch, running, ended.signal)]);
  } finally {
    ended.abort();
    watch.signal.removeEventListener('abort', onAbort);
    running.abort(new CodedError('CANCELLED', 'Run is over'));
  }
}

/** Never resolves: rejects with the abort's reason. */
function abortOf(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  aborted.catch(() => undefined);
  return aborted;
}

/** Never resolves: aborts `running` when nothing has moved for the limit. */
async function guard(watch: Watch, running: AbortController, signal: AbortSignal): Promise<never> {
  for (;;) {
    const leftMs = watch.movedAtMs() + watch.limitMs() - watch.clock.monotonicMs();
    if (leftMs <= 0) break;
    try {
      await watch.clock.sleep(leftMs, { signal });
    } catch {
      return new Promise<never>(() => undefined);
    }
  }
  running.abort(new CodedError('UNAVAILABLE', `${watch.what} for ${watch.limitMs()} ms`));
  return new Promise<never>(() => undefined);
}
