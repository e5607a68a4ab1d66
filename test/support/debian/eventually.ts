/** Waiting for what daemons do in their own time: garbage collection, log lines, reconnecting. */
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 50;
const DEADLINE_MS_DEFAULT = 15_000;

/**
 * Polls until `isThere` accepts what `read` gives, and returns that.
 * @throws Error showing the last value after `deadlineMs`
 */
export async function eventually<T>(
  read: () => Promise<T>,
  isThere: (value: T) => boolean,
  deadlineMs: number = DEADLINE_MS_DEFAULT,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await read();
    if (isThere(value)) return value;
    if (performance.now() > end) throw new Error(`After ${deadlineMs} ms it is still ${JSON.stringify(value)}`);
    await sleep(POLL_MS);
  }
}
