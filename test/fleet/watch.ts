/** Looks at the machine and at the processes of a run while it goes on. */
import { readFile } from 'node:fs/promises';
import { type MachineTicks, busySeconds, cpuSecondsOf, idleShare, machineTicks, memoryOf } from './kernel-counters.ts';
import { sum } from './statistics.ts';

/** Often enough for a peak, and too seldom to be one. */
const LOOK_EVERY_MS = 500;

/** What one process used; of one that has ended, up to the last look. */
export interface ProcessUse {
  readonly cpuSeconds: number;
  readonly rssPeakBytes: number;
}

export interface MachineUse {
  readonly seconds: number;
  /** From 0 to 1. */
  readonly idleShare: number;
  /** Of every process there is and of the kernel. */
  readonly machineCpuSeconds: number;
  /** The largest sum that was seen at once. */
  readonly rssSumPeakBytes: number;
  readonly processes: ReadonlyMap<string, ProcessUse>;
}

export interface Watch {
  /** Stops looking. */
  end(): Promise<MachineUse>;
}

/** `pids` gives names and process ids, read at each look; those of 0 are passed over. */
export async function startWatch(pids: () => ReadonlyMap<string, number>): Promise<Watch> {
  const startedMs = performance.now();
  const before = await ticks();
  const seen = new Map<string, { first: number; last: number; peak: number }>();
  let rssSumPeakBytes = 0;
  const look = async () => {
    const rows = await Promise.all([...pids()].map(([name, pid]) => lookAt(name, pid)));
    for (const row of rows.filter((found) => found !== undefined)) {
      const first = seen.get(row.name)?.first ?? row.cpuSeconds;
      seen.set(row.name, { first, last: row.cpuSeconds, peak: row.rssPeakBytes });
    }
    rssSumPeakBytes = Math.max(rssSumPeakBytes, sum(rows.map((row) => row?.rssBytes ?? 0)));
  };
  await look();
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, LOOK_EVERY_MS);
  return {
    async end() {
      clearInterval(timer);
      const after = await ticks();
      const seconds = (performance.now() - startedMs) / 1000;
      await looking.then(look);
      const processes = [...seen].map(
        ([name, { first, last, peak }]) => [name, { cpuSeconds: last - first, rssPeakBytes: peak }] as const,
      );
      return {
        ...{ seconds, rssSumPeakBytes, processes: new Map(processes) },
        idleShare: idleShare(before, after),
        machineCpuSeconds: busySeconds(before, after),
      };
    },
  };
}

async function ticks(): Promise<MachineTicks> {
  return machineTicks(await readFile('/proc/stat', 'utf8'));
}

async function lookAt(name: string, pid: number) {
  if (pid === 0) return undefined;
  try {
    const [stat, status] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
    ]);
    const memory = memoryOf(status);
    // A dead process that nobody has waited for has times but no memory.
    return memory.rssBytes === 0 ? undefined : { name, cpuSeconds: cpuSecondsOf(stat), ...memory };
  } catch {
    return undefined;
  }
}
