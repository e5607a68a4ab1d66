/** A store that is killed again and again keeps every promise it gave. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { systemClock } from '../../core/runtime/clock.ts';
import { silentLogger } from '../../core/runtime/log.ts';
import { noMetrics } from '../../core/runtime/metrics.ts';
import { createDiskStore } from '../../plugin/store/disk-store.ts';
import { CRASH_LIMITS, type JournalLine, seededRandom } from '../support/crash/journal.ts';
import { Ledger } from '../support/crash/ledger.ts';
import { verify } from '../support/crash/verify.ts';

const KILLS = 200;
/** A kill comes this long after the worker is ready, at most; one in eight comes while it starts. */
const RUN_MS_MAX = 200;
const START_MS_MAX = 200;
const TEST_TIMEOUT_MS = 10 * 60_000;
const WORKER = join(import.meta.dirname, '../support/crash/worker.ts');

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'shoal-crash-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

it(
  `DiskStore keeps every promise over ${KILLS} kills at random moments`,
  async () => {
    const seed = Number(process.env.SHOAL_CRASH_SEED ?? Math.floor(Math.random() * 2 ** 31));
    process.stderr.write(`store-crash: SHOAL_CRASH_SEED=${seed}\n`);
    const random = seededRandom(seed);
    const ledger = new Ledger();
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const lines = await runAndKill({ workerSeed: seed + kill, random });
      for (const line of lines) ledger.apply(line);
      expect({ seed, kill, wrong: await reopen(ledger) }).toEqual({ seed, kill, wrong: [] });
    }
    process.stderr.write(`store-crash: ${KILLS} kills, ${ledger.lines} journal lines\n`);
    expect(ledger.lines).toBeGreaterThan(KILLS);
  },
  TEST_TIMEOUT_MS,
);

async function runAndKill(how: { workerSeed: number; random: () => number }): Promise<JournalLine[]> {
  const worker = spawn(process.execPath, [WORKER, root, String(how.workerSeed)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: process.env,
  });
  const output: { lines: string; errors: string } = { lines: '', errors: '' };
  const ready = new Promise<void>((resolve) => {
    worker.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.lines += text;
      if (text.includes('"ready"')) resolve();
    });
  });
  worker.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.errors += text;
  });
  const closed = once(worker, 'close');
  if (how.random() < 1 / 8) await wait(how.random() * START_MS_MAX);
  else await Promise.race([ready.then(() => wait(how.random() * RUN_MS_MAX)), closed]);
  await killed(worker, closed);
  // A worker that ended by itself met an error that it did not expect.
  expect({ errors: output.errors, signal: worker.signalCode }).toEqual({ errors: '', signal: 'SIGKILL' });
  return output.lines.split('\n').slice(0, -1).map(parseLine);
}

async function killed(worker: ChildProcess, closed: Promise<unknown>): Promise<void> {
  worker.kill('SIGKILL');
  await closed;
}

function parseLine(text: string): JournalLine {
  return JSON.parse(text);
}

async function reopen(ledger: Ledger): Promise<string[]> {
  // No eviction while looking: what it takes away would lie in the trash for a moment.
  const limits = { ...CRASH_LIMITS, capacityBytes: 2 ** 40 };
  const deps = { root, limits, clock: systemClock, log: silentLogger, metrics: noMetrics };
  const store = createDiskStore(deps, { upkeepEveryMs: 60_000 });
  await store.start({ signal: new AbortController().signal });
  try {
    const wrong = await verify(store, root, ledger);
    ledger.settle(store);
    return wrong;
  } finally {
    await store.stop();
  }
}
