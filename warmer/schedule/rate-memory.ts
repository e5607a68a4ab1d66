/** How fast earlier runs were, so that the next one begins early enough. Pure: keeping it is somebody else's. */

/** One run that moved bytes. */
export interface RateSample {
  readonly atMs: number;
  /** Over all nodes. */
  readonly bytes: number;
  readonly durationMs: number;
}

/** The oldest first. */
export type RateMemory = readonly RateSample[];

/** Runs remembered: enough to see past one odd night, few enough to follow a fleet that grows. */
const SAMPLES_MAX = 20;
/** Smaller runs measure how long requests take, not how fast bytes move. */
const SAMPLE_BYTES_MIN = 16 * 1024 * 1024;

/** The memory with one run more, the oldest forgotten. Runs that tell nothing of the rate change nothing. */
export function remember(memory: RateMemory, sample: RateSample): RateMemory {
  if (sample.bytes < SAMPLE_BYTES_MIN || sample.durationMs <= 0) return memory;
  return [...memory, sample].slice(-SAMPLES_MAX);
}

/**
 * Bytes a second to count on: the slower of the median run and of all runs together, because being early costs little and
 * being late costs a cold start. undefined when nothing was measured.
 */
export function expectedRate(memory: RateMemory): number | undefined {
  if (memory.length === 0) return undefined;
  const rates = memory.map(({ bytes, durationMs }) => (bytes * 1000) / durationMs).sort((a, b) => a - b);
  const median = rates[Math.floor((rates.length - 1) / 2)] ?? 0;
  const total = memory.reduce((sum, { bytes }) => sum + bytes, 0);
  const totalMs = memory.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return Math.min(median, (total * 1000) / totalMs);
}
