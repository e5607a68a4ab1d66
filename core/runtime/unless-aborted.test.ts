import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { unlessAborted } from './unless-aborted.ts';

describe('unlessAborted()', () => {
  it('settles as the work does, and leaves no listener behind', async () => {
    const { signal } = new AbortController();
    await expect(unlessAborted(Promise.resolve(7), signal)).resolves.toBe(7);
    await expect(unlessAborted(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('rejects with the reason of the signal, before or while it waits', async () => {
    const leaving = new AbortController();
    const waiting = unlessAborted(new Promise(() => undefined), leaving.signal);
    leaving.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    await expect(unlessAborted(new Promise(() => undefined), leaving.signal)).rejects.toThrow('left');
  });
});
