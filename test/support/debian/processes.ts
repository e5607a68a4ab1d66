/** Finding and ending processes that a daemon of a test has left behind. Linux only; reads /proc. */
import { readFile, readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const GONE_DEADLINE_MS = 5_000;
const GONE_POLL_MS = 10;

interface ProcessRow {
  pid: number;
  parent: number;
  state: string;
  arguments: readonly string[];
}

/** Ids of the processes for whose arguments `matches` is true, and of all that descend from them. */
export async function processTree(matches: (args: readonly string[]) => boolean): Promise<number[]> {
  const rows = (await readTable()).filter((row) => row.state !== 'Z');
  const found = new Set(rows.filter((row) => matches(row.arguments)).map((row) => row.pid));
  for (let before = 0; before !== found.size; ) {
    before = found.size;
    for (const row of rows) if (found.has(row.parent)) found.add(row.pid);
  }
  return [...found];
}

/** SIGKILL to each, then waits until all are gone (a zombie counts as gone). */
export async function killAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) killIfThere(pid);
  const end = performance.now() + GONE_DEADLINE_MS;
  while (performance.now() < end) {
    const left = (await readTable()).filter((row) => row.state !== 'Z' && pids.includes(row.pid));
    if (left.length === 0) return;
    await sleep(GONE_POLL_MS);
  }
  throw new Error(`Processes ${pids.join(', ')} are still there ${GONE_DEADLINE_MS} ms after SIGKILL`);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

async function readTable(): Promise<ProcessRow[]> {
  const names = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name));
  const rows = await Promise.all(names.map((name) => readRow(Number(name)).catch(() => undefined)));
  return rows.filter((row) => row !== undefined);
}

async function readRow(pid: number): Promise<ProcessRow> {
  const [stat, cmdline] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/cmdline`, 'utf8'),
  ]);
  // The command name stands in parentheses and may hold anything; what follows the last one is plain (proc(5)).
  const [state = '', parent = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { pid, state, parent: Number(parent), arguments: cmdline.split('\0') };
}
