import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { OwnSchedule, type OwnScheduleEvent, ownScheduleProblem } from './own-schedule.ts';

const MINUTE_MS = 60_000;
const signal = new AbortController().signal;

interface Started {
  readonly schedule: OwnSchedule;
  readonly runs: number[];
  readonly events: OwnScheduleEvent[];
}

async function started(run: (signal: AbortSignal) => Promise<void>, jitterMs = 0): Promise<Started> {
  const runs: number[] = [];
  const events: OwnScheduleEvent[] = [];
  const deps = {
    run: (options: { signal: AbortSignal }) => {
      runs.push(Date.now());
      return run(options.signal);
    },
    report: (event: OwnScheduleEvent) => void events.push(event),
  };
  const schedule = new OwnSchedule(deps, { cron: '*/10 * * * *', timezone: 'UTC', jitterMs });
  await schedule.start({ signal });
  return { schedule, runs, events };
}

describe('OwnSchedule', () => {
  beforeEach(() => void jest.useFakeTimers({ now: Date.parse('2026-11-21T20:41:00Z') }));
  afterEach(() => void jest.useRealTimers());

  it('runs at its times and tells the next', async () => {
    const { schedule, runs } = await started(() => Promise.resolve());
    expect(schedule.nextRun()?.toISOString()).toBe('2026-11-21T20:50:00.000Z');
    await jest.advanceTimersByTimeAsync(25 * MINUTE_MS);
    expect(runs.map((time) => new Date(time).toISOString().slice(11, 16))).toEqual(['20:50', '21:00']);
    await schedule.stop();
    await jest.advanceTimersByTimeAsync(25 * MINUTE_MS);
    expect(runs).toHaveLength(2);
  });

  it('leaves a run out while the last is not over, and goes on after one that failed', async () => {
    let end: (error?: Error) => void = () => undefined;
    const { schedule, runs, events } = await started(
      () => new Promise((resolve, reject) => (end = (error) => (error === undefined ? resolve() : reject(error)))),
    );
    await jest.advanceTimersByTimeAsync(20 * MINUTE_MS);
    expect([runs.length, events]).toEqual([1, ['overlap']]);
    end(new Error('no node answers'));
    await jest.advanceTimersByTimeAsync(10 * MINUTE_MS);
    expect([runs.length, events]).toEqual([2, ['overlap', 'failed']]);
    end();
    await schedule.stop();
  });

  it('aborts a run that is on its way when it is stopped', async () => {
    const { schedule, events } = await started(
      (aborted) => new Promise((_, reject) => aborted.addEventListener('abort', () => reject(aborted.reason))),
    );
    await jest.advanceTimersByTimeAsync(10 * MINUTE_MS);
    await schedule.stop();
    expect(events).toEqual([]);
  });

  it('makes up for a time that a jump of the clock passed over', async () => {
    const { schedule, runs, events } = await started(() => Promise.resolve());
    await jest.advanceTimersByTimeAsync(MINUTE_MS);
    jest.setSystemTime(Date.parse('2026-11-22T06:03:00Z'));
    await jest.advanceTimersByTimeAsync(8 * MINUTE_MS);
    expect(events).toContain('missed');
    expect(runs.length).toBeGreaterThanOrEqual(1);
    await schedule.stop();
  });
});

describe('ownScheduleProblem()', () => {
  it.each([
    ['', 'UTC', undefined],
    ['*/30 * * * *', 'Europe/Berlin', undefined],
    ['*/30 * * *', 'UTC', 'is not a cron expression'],
    ['every hour', 'UTC', 'is not a cron expression'],
    ['*/30 * * * *', 'Mars/Olympus', 'does not exist'],
  ])('reads "%s" in %s', (cron, timezone, problem) => {
    const found = ownScheduleProblem({ cron, timezone });
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(problem);
  });
});
