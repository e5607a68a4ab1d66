import { describe, expect, it } from '@jest/globals';
import { DirectorySyncer } from './sync-dir.ts';

describe('DirectorySyncer', () => {
  it('sync() lets callers that come during a sync share the next one', async () => {
    const ends: Array<() => void> = [];
    const syncer = new DirectorySyncer(() => new Promise((resolve) => ends.push(resolve)));
    const done: string[] = [];
    const ask = (name: string) => syncer.sync('d').then(() => done.push(name));
    const all = [ask('first'), ask('second'), ask('third')];
    expect(ends).toHaveLength(1);
    ends[0]?.();
    await all[0];
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toEqual(['first']);
    expect(ends).toHaveLength(2);
    ends[1]?.();
    await Promise.all(all);
    expect(ends).toHaveLength(2);
  });

  it('sync() fails for its own callers only', async () => {
    const outcomes = [Promise.reject(new Error('broken')), Promise.resolve()];
    const syncer = new DirectorySyncer(() => outcomes.shift() ?? Promise.resolve());
    const first = syncer.sync('d');
    const second = syncer.sync('d');
    await expect(first).rejects.toThrow('broken');
    await second;
  });
});
