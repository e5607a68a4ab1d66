import { describe, expect, it } from '@jest/globals';
import { BroadcastQueue } from './broadcast-queue.ts';

const TERMS = { bytesMax: 1_000, entryBytes: 2, limit: 3, countMax: 255 };
const message = (text: string) => Buffer.from(text);
const taken = (queue: BroadcastQueue, terms: Partial<typeof TERMS> = {}) =>
  queue.take({ ...TERMS, ...terms }).map((bytes) => bytes.toString());

describe('BroadcastQueue', () => {
  it('take() gives each rumour as often as the limit says, then it is done', () => {
    const queue = new BroadcastQueue();
    let isDone = false;
    queue.add(message('a'), { onDone: () => (isDone = true) });
    expect([taken(queue), taken(queue), isDone]).toEqual([['a'], ['a'], false]);
    expect([taken(queue), isDone, taken(queue), queue.size]).toEqual([['a'], true, [], 0]);
  });

  it('take() prefers what was told least often, then the longest, then the youngest', () => {
    const queue = new BroadcastQueue();
    queue.add(message('old'));
    taken(queue);
    for (const text of ['aa', 'bbbb', 'cc']) queue.add(message(text));
    expect(taken(queue)).toEqual(['bbbb', 'cc', 'aa', 'old']);
  });

  it('take() fills what fits, framing counted, and passes over what does not', () => {
    const queue = new BroadcastQueue();
    for (const text of ['1234567890', '12345', '123']) queue.add(message(text));
    expect(taken(queue, { bytesMax: 12 })).toEqual(['1234567890']);
    expect(taken(queue, { bytesMax: 12 })).toEqual(['12345', '123']);
    expect(taken(queue, { bytesMax: 2 })).toEqual([]);
    expect(taken(queue, { countMax: 1 })).toHaveLength(1);
  });

  it('add() replaces what was said under the same name', () => {
    const queue = new BroadcastQueue();
    const done: string[] = [];
    queue.add(message('old'), { name: 'x', onDone: () => done.push('old') });
    queue.add(message('new'), { name: 'x' });
    queue.add(message('other'));
    expect([queue.size, done, taken(queue)]).toEqual([2, ['old'], ['other', 'new']]);
  });

  it('add() drops what was told most often when there are too many', () => {
    const queue = new BroadcastQueue({ rumoursMax: 2 });
    queue.add(message('a'));
    taken(queue);
    queue.add(message('b'));
    queue.add(message('c'));
    expect([queue.size, taken(queue)]).toEqual([2, ['c', 'b']]);
  });
});
