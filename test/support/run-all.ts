/**
 * Everything that CI asks of this repository, one step after the other, each to its end: types, lint, format, unit tests,
 * integration tests. What the steps print goes through; the last line of stdout is
 * `N passed, N failed` (`, N skipped` when some were), and the exit status is 1 when anything failed.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Tally, addTallies, tallyLine, tallyOfJest } from './test-tally.ts';

/** CI gives an hour to everything, installing included. */
const ALL_STEPS_DEADLINE_MS = 54 * 60_000;

interface Step {
  name: string;
  /** An npm script and its arguments. */
  script: readonly string[];
  deadlineMs: number;
  /** Counts single tests; a step without counts is one failure at most. */
  isJest: boolean;
}

const STEPS: readonly Step[] = [
  { name: 'types', script: ['types'], deadlineMs: 5 * 60_000, isJest: false },
  { name: 'lint', script: ['lint'], deadlineMs: 5 * 60_000, isJest: false },
  { name: 'format', script: ['format:check'], deadlineMs: 5 * 60_000, isJest: false },
  { name: 'unit tests', script: ['test:unit', '--'], deadlineMs: 15 * 60_000, isJest: true },
  { name: 'integration tests', script: ['test:integration', '--'], deadlineMs: 45 * 60_000, isJest: true },
];

async function runAll(): Promise<Tally> {
  const scratch = await mkdtemp(join(tmpdir(), 'shoal-run-'));
  const end = performance.now() + ALL_STEPS_DEADLINE_MS;
  try {
    const tallies: Tally[] = [];
    for (const step of STEPS) {
      const leftMs = Math.max(0, end - performance.now());
      tallies.push(await runStep(step, { scratch, deadlineMs: Math.min(step.deadlineMs, leftMs) }));
    }
    return addTallies(tallies);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function runStep(step: Step, options: { scratch: string; deadlineMs: number }): Promise<Tally> {
  const resultFile = join(options.scratch, `${step.name.replaceAll(' ', '-')}.json`);
  const results = step.isJest ? ['--json', `--outputFile=${resultFile}`] : [];
  process.stdout.write(`\n== ${step.name}\n`);
  const isGood = await runScript([...step.script, ...results], options.deadlineMs);
  if (!isGood) process.stdout.write(`== ${step.name} failed\n`);
  if (!step.isJest) return { passed: 0, failed: isGood ? 0 : 1, skipped: 0 };
  return tallyOfJest(await readFile(resultFile, 'utf8').catch(() => ''), isGood);
}

/** True when the script ended with 0 within the deadline. It runs in a process group, which ends as a whole. */
function runScript(script: readonly string[], deadlineMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn('npm', ['run', '-s', ...script], { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
    const endGroup = (signal: NodeJS.Signals) => {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    };
    const onSignal = (signal: NodeJS.Signals) => {
      endGroup(signal);
      // The listener is gone after one call: the same signal now ends this process as it would have without it.
      process.kill(process.pid, signal);
    };
    process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
    const timer = setTimeout(() => {
      process.stdout.write(`== not done after ${Math.round(deadlineMs / 1000)} s, ended\n`);
      endGroup('SIGKILL');
    }, deadlineMs);
    const finish = (isGood: boolean) => {
      clearTimeout(timer);
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
      resolve(isGood);
    };
    child.once('error', () => finish(false));
    child.once('exit', (code) => finish(code === 0));
  });
}

const tally = await runAll();
process.stdout.write(`\n${tallyLine(tally)}\n`);
process.exitCode = tally.failed === 0 ? 0 : 1;
