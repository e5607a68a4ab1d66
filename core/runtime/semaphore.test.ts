import { describe, expect, it } from '@jest/globals';
import { Semaphore } from './semaphore.ts';

describe('Semaphore', () => {
  it('run() lets no more than its permits run at once, in order', async () => {
    const semaphore = new Semaphore({ permits: 2, waitersMax: 10 });
    const order: number[] = [];
    let running = 0;
    let most = 0;
    const task = (id: number) =>
      semaphore.run(async () => {
        order.push(id);
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        running -= 1;
      });
    await Promise.all([1, 2, 3, 4, 5].map(task));
    expect(most).toBe(2);
    expect(order).toEqual([1, 2, 3, 4, 5]);
  });

  it('run() gives the permit back when the task fails', async () => {
    const semaphore = new Semaphore({ permits: 1, waitersMax: 0 });
    await expect(semaphore.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(semaphore.run(async () => 7)).resolves.toBe(7);
  });

  it('acquire() refuses one waiter too many', async () => {
    const semaphore = new Semaphore({ permits: 1, waitersMax: 1 });
    const release = await semaphore.acquire();
    const waiting = semaphore.acquire();
    await expect(semaphore.acquire()).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    release();
    (await waiting)();
  });

  it('acquire() leaves the queue when aborted, and its permit is not lost', async () => {
    const semaphore = new Semaphore({ permits: 1, waitersMax: 5 });
    const release = await semaphore.acquire();
    const controller = new AbortController();
    const aborted = semaphore.acquire({ signal: controller.signal });
    const waiting = semaphore.acquire();
    controller.abort(new Error('stop'));
    await expect(aborted).rejects.toThrow('stop');
    expect(semaphore.waiting).toBe(1);
    release();
    release();
    const second = await waiting;
    const third = semaphore.acquire();
    expect(semaphore.waiting).toBe(1);
    second();
    (await third)();
  });
});
