import { afterEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../core/runtime/clock.ts';
import { event, image, input, node, OPTIONS, workload } from '../plan/plan-fixtures.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { Prepared } from '../prepare.ts';
import type { RunResult } from '../report/run-result.ts';
import { Outcomes } from '../seed/outcomes.ts';
import { result } from '../../test/support/warm/seed-fixtures.ts';
import type { Warmer } from '../warmer.ts';
import type { DaemonEvents } from './events.ts';
import { WarmDaemon } from './warm-daemon.ts';

const START = Date.parse('2026-11-21T07:00:00Z');
const MINUTE_MS = 60_000;

/** Time that passes only as it is moved; a sleep ends when its time has come. */
class JumpingClock implements Clock {
  wallMs = START;
  #monotonicMs = 0;
  readonly #sleepers = new Set<{ atMs: number; wake: () => void }>();

  now = () => this.wallMs;
  monotonicMs = () => this.#monotonicMs;

  sleep = (ms: number, { signal }: { signal?: AbortSignal } = {}): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { atMs: this.#monotonicMs + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      });
    });

  /** Wall and monotonic time, in steps that everybody awake sees. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 5_000) {
      this.wallMs += 5_000;
      this.#monotonicMs += 5_000;
      await this.settle();
    }
  }

  async settle(): Promise<void> {
    for (const sleeper of [...this.#sleepers]) {
      if (sleeper.atMs > this.#monotonicMs) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
    await sleep(1);
  }
}

class FakeWarmer implements Warmer {
  readonly clock: Clock;
  readonly runs: string[] = [];
  names = ['a'];
  /** Whether runs succeed. */
  isWorking = true;
  #isWarm = false;
  eventAtMs = START + 60 * MINUTE_MS;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  async start() {}
  async stop() {}
  members = async () => this.names;
  changed = ({ signal }: { signal: AbortSignal }) => this.clock.sleep(1e9, { signal });

  async plan(): Promise<Prepared> {
    const nodes = this.names.map((name) => node(name, { holds: this.#isWarm ? held : [] }));
    const plan = makePlan(input({ images: [web], workloads: [app], events: this.#coming(), nodes }), {
      ...OPTIONS,
      nowMs: this.clock.now(),
      defaultLeadMs: 10 * MINUTE_MS,
      marginMs: 5 * MINUTE_MS,
    });
    return { plan, images: new Map(), failed: [], nodes, silent: new Map(), fleetProblem: undefined };
  }

  /** A forecast looks ahead only. */
  #coming() {
    return [event(app, this.eventAtMs)].filter(({ at }) => at >= this.clock.now());
  }

  async run(): Promise<RunResult> {
    this.runs.push(new Date(this.clock.now()).toISOString().slice(11, 16));
    const { plan } = await this.plan();
    const outcomes = new Outcomes();
    const state = this.isWorking ? 'fetched' : 'failed';
    for (const name of this.names) {
      outcomes.take(result(name, web.reference, { state, retriable: true }));
    }
    this.#isWarm = this.isWorking;
    return {
      ...{ atMs: this.clock.now(), elapsedMs: 1, plan, images: new Map(), failed: [], outcomes },
      notTried: undefined,
      isElsewhere: false,
    };
  }
}

const web = image('web');
const app = workload('app', [web]);
const held = [
  ...web.indexes,
  ...web.variants.flatMap(({ manifest, config, layers }) => [manifest, config, ...layers]),
].map(({ digest }) => digest);

describe('WarmDaemon', () => {
  const running: WarmDaemon[] = [];
  afterEach(async () => {
    for (const daemon of running.splice(0)) await daemon.stop();
  });

  async function started() {
    const clock = new JumpingClock();
    const warmer = new FakeWarmer(clock);
    const leads: number[] = [];
    const told: string[] = [];
    const events: DaemonEvents = {
      runBegan: (reason) => told.push(reason),
      runEnded: () => undefined,
      runFailed: () => undefined,
      overlapped: () => undefined,
      eventWarm: (_, leadMs) => leads.push(leadMs / MINUTE_MS),
      eventNotWarm: (_, attempts) => told.push(`not warm ${attempts}`),
      looked: () => undefined,
      lookFailed: (error) => told.push(String(error)),
      newcomers: (names) => told.push(`new ${names.join()}`),
    };
    const daemon = new WarmDaemon({ warmer, clock, events }, { cron: '', timezone: 'UTC' });
    running.push(daemon);
    await daemon.start({ signal: new AbortController().signal });
    await clock.settle();
    return { clock, warmer, leads, told };
  }

  it('begins when an event has to begin, once, and tells how early it was warm', async () => {
    const { clock, warmer, leads } = await started();
    await clock.pass(44 * MINUTE_MS);
    expect(warmer.runs).toEqual([]);
    await clock.pass(20 * MINUTE_MS);
    expect(warmer.runs).toEqual(['07:45']);
    expect(leads).toEqual([15]);
  });

  it('begins at once when the clock has jumped over the time', async () => {
    const { clock, warmer } = await started();
    clock.wallMs += 50 * MINUTE_MS;
    await clock.pass(MINUTE_MS);
    expect(warmer.runs).toEqual([expect.stringMatching(/^07:5[01]$/)]);
  });

  it('tries again, ever later, while the event is not warm', async () => {
    const { clock, warmer, told } = await started();
    warmer.isWorking = false;
    await clock.pass(48 * MINUTE_MS);
    expect(warmer.runs.length).toBeGreaterThanOrEqual(3);
    expect(warmer.runs.length).toBeLessThan(8);
    expect(told).toContain('not warm 3');
    warmer.isWorking = true;
    await clock.pass(10 * MINUTE_MS);
    const tries = warmer.runs.length;
    await clock.pass(5 * MINUTE_MS);
    expect(warmer.runs).toHaveLength(tries);
  });

  it('runs for a member that comes', async () => {
    const { clock, warmer, told } = await started();
    warmer.names = ['a', 'b'];
    await clock.pass(MINUTE_MS);
    expect(told).toEqual(['new b', 'newcomer']);
    expect(warmer.runs).toHaveLength(1);
  });
});
