import { describe, expect, it } from '@jest/globals';
import { untilAborted } from '../../test/support/content/fake-source.ts';
import { ManualClock } from './fakes/manual-clock.ts';
import { whileMoving } from './while-moving.ts';

function setUp() {
  const clock = new ManualClock();
  const outside = new AbortController();
  const moved = { atMs: clock.monotonicMs() };
  const watch = {
    clock,
    signal: outside.signal,
    movedAtMs: () => moved.atMs,
    limitMs: () => 1_000,
    what: 'Nothing came',
  };
  return { clock, outside, moved, watch };
}

describe('whileMoving()', () => {
  it('gives what the run gives', async () => {
    expect(await whileMoving(setUp().watch, async () => 7)).toBe(7);
  });

  it('ends a run in which nothing moves, also one that does not listen', async () => {
    for (const run of [untilAborted, () => new Promise<never>(() => undefined)]) {
      const { clock, watch } = setUp();
      const running = whileMoving(watch, run).catch((error: unknown) => error);
      await clock.advance(1_100);
      expect(await running).toMatchObject({ code: 'UNAVAILABLE', message: 'Nothing came for 1000 ms' });
    }
  });

  it('lets a run go on that moves now and then', async () => {
    const { clock, moved, watch } = setUp();
    let isOver = false;
    const running = whileMoving(watch, untilAborted).catch(() => {
      isOver = true;
    });
    for (let round = 0; round < 5; round += 1) {
      await clock.advance(900);
      moved.atMs = clock.monotonicMs();
    }
    expect(isOver).toBe(false);
    await clock.advance(1_100);
    await running;
    expect(isOver).toBe(true);
  });

  it('ends with the reason of an abort from outside, also of an earlier one', async () => {
    const { outside, watch } = setUp();
    const running = whileMoving(watch, untilAborted).catch((error: unknown) => error);
    outside.abort(new Error('Enough'));
    expect(await running).toMatchObject({ message: 'Enough' });
    await expect(whileMoving(watch, async () => 1)).rejects.toThrow('Enough');
  });
});
