/** Starting parts in order and stopping them in reverse, also after a start that failed half-way. */

/** Something with a life: constructed inert, opened by `start`, closed by `stop`. Stopping twice is harmless. */
export interface Service {
  start(options: { signal: AbortSignal }): Promise<void>;
  stop(): Promise<void>;
}

/** One named part of a process. */
export interface Part {
  name: string;
  service: Service;
}

/**
 * Starts `parts` in order. When one fails, those already started are stopped in reverse and the failure is thrown.
 * @returns a function that stops all of them in reverse order; failures to stop are gathered in an AggregateError
 */
export async function startAll(parts: readonly Part[], options: { signal: AbortSignal }): Promise<() => Promise<void>> {
  const started: Part[] = [];
  try {
    for (const part of parts) {
      options.signal.throwIfAborted();
      started.push(part);
      await part.service.start(options);
    }
  } catch (error) {
    await stopAll(started).catch(() => undefined);
    throw error;
  }
  return () => stopAll(started.splice(0));
}

async function stopAll(parts: readonly Part[]): Promise<void> {
  const failures: unknown[] = [];
  for (const part of parts.toReversed()) {
    try {
      await part.service.stop();
    } catch (error) {
      failures.push(new Error(`Stop of "${part.name}" failed`, { cause: error }));
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'Some parts did not stop cleanly');
}
