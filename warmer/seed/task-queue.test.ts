import { describe, expect, it } from '@jest/globals';
import { waveTask } from '../../test/support/warm/seed-fixtures.ts';
import { TaskQueue } from './task-queue.ts';

const ids = (tasks: readonly { id: number }[]) => tasks.map(({ id }) => id);

describe('TaskQueue', () => {
  it('starts a wave when the one before it is over, and never a node twice at once', () => {
    const first = waveTask(0, ['a']);
    const queue = new TaskQueue([first, waveTask(1, ['b'], { after: 0 }), waveTask(2, ['a']), waveTask(3, ['c'])], {
      nodesAtOnce: 10,
    });
    expect(ids(queue.start())).toEqual([0, 3]);
    expect(ids(queue.start())).toEqual([]);
    queue.end(first);
    expect(ids(queue.start())).toEqual([1, 2]);
    expect(queue.isDone).toBe(false);
  });

  it('keeps to the number of nodes at once, and lets nobody less urgent slip past', () => {
    const wide = waveTask(1, ['b', 'c', 'd']);
    const queue = new TaskQueue([waveTask(0, ['a']), wide, waveTask(2, ['e'])], { nodesAtOnce: 3 });
    expect(ids(queue.start())).toEqual([0]);
    queue.end(waveTask(0, ['a']));
    expect(ids(queue.start())).toEqual([1]);
    expect(queue.weightOf(waveTask(9, ['1', '2', '3', '4', '5']))).toBe(3);
  });
});
