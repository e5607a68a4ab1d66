/** What the kernel counts, out of /proc (proc(5)). Pure: texts in, numbers out. */

/** USER_HZ, 100 on every architecture that Linux has today. */
export const TICKS_PER_SECOND = 100;

export interface MachineTicks {
  readonly idle: number;
  readonly total: number;
}

/** The first line of /proc/stat. Waiting for the disk counts as idle. */
export function machineTicks(stat: string): MachineTicks {
  const [, ...fields] = (stat.split('\n')[0] ?? '').split(/ +/).map(Number);
  // user nice system idle iowait irq softirq steal; guest time is in user already.
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, steal = 0] = fields;
  return { idle: idle + wait, total: user + nice + system + idle + wait + irq + soft + steal };
}

/** The part of the machine's time in which it had nothing to do, from 0 to 1. */
export function idleShare(before: MachineTicks, after: MachineTicks): number {
  const total = after.total - before.total;
  return total > 0 ? (after.idle - before.idle) / total : 1;
}

/** Seconds of processor time that the whole machine spent on anything. */
export function busySeconds(before: MachineTicks, after: MachineTicks): number {
  return (after.total - after.idle - (before.total - before.idle)) / TICKS_PER_SECOND;
}

/** Seconds of processor time of one process, out of /proc/PID/stat. */
export function cpuSecondsOf(stat: string): number {
  // The command name stands in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export interface Memory {
  readonly rssBytes: number;
  readonly rssPeakBytes: number;
}

/** Resident memory, out of /proc/PID/status. */
export function memoryOf(status: string): Memory {
  const kib = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
  return { rssBytes: kib('VmRSS') * 1024, rssPeakBytes: kib('VmHWM') * 1024 };
}

export interface InterfaceBytes {
  readonly received: number;
  readonly sent: number;
}

/** Bytes of one interface, out of /proc/net/dev; zeros when it is not there. */
export function interfaceBytes(table: string, name: string): InterfaceBytes {
  const line = table.split('\n').find((text) => text.trimStart().startsWith(`${name}:`)) ?? '';
  const fields = line
    .slice(line.indexOf(':') + 1)
    .trim()
    .split(/\s+/)
    .map(Number);
  return { received: fields[0] || 0, sent: fields[8] || 0 };
}
