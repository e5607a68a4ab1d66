/** One running task for each key, shared by everyone who asks for it meanwhile. */
import { CodedError } from '../runtime/errors.ts';
import { unlessAborted } from '../runtime/unless-aborted.ts';

/** Keys with a task at once: a registry client works for some hundreds of repositories at a time. */
const FLIGHTS_MAX = 1024;

/** Each caller may leave alone: the task goes on for the others, and ends by its own deadline. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Promise<T>>();
  readonly #deadlineMs: number;

  constructor(options: { deadlineMs: number }) {
    this.#deadlineMs = options.deadlineMs;
  }

  /** Joins the task of `key`, or starts it. Errors: the task's own; the caller's signal's reason; RESOURCE_EXHAUSTED. */
  run(
    key: string,
    start: (options: { signal: AbortSignal }) => Promise<T>,
    options: { signal: AbortSignal },
  ): Promise<T> {
    let flight = this.#flights.get(key);
    if (flight === undefined) {
      if (this.#flights.size >= FLIGHTS_MAX) {
        return Promise.reject(new CodedError('RESOURCE_EXHAUSTED', `Start of a task is refused: ${FLIGHTS_MAX} run`));
      }
      flight = start({ signal: AbortSignal.timeout(this.#deadlineMs) }).finally(() => this.#flights.delete(key));
      // Everyone may have left when it fails.
      flight.catch(() => undefined);
      this.#flights.set(key, flight);
    }
    return unlessAborted(flight, options.signal);
  }
}
