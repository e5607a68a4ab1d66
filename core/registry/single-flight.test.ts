import { describe, expect, it } from '@jest/globals';
import { SingleFlight } from './single-flight.ts';

const { signal } = new AbortController();

describe('SingleFlight', () => {
  it('run() starts one task for all who ask meanwhile, and another afterwards', async () => {
    const flights = new SingleFlight<number>({ deadlineMs: 1000 });
    let started = 0;
    const start = async () => {
      started += 1;
      await new Promise(setImmediate);
      return started;
    };
    const ask = (key: string) => flights.run(key, start, { signal });
    await expect(Promise.all([ask('a'), ask('a'), ask('b')])).resolves.toEqual([2, 2, 2]);
    await expect(ask('a')).resolves.toBe(3);
  });

  it('run() lets one leave without ending it for the others', async () => {
    const flights = new SingleFlight<string>({ deadlineMs: 1000 });
    const { promise, resolve } = Promise.withResolvers<string>();
    const controller = new AbortController();
    const leaving = flights.run('a', () => promise, { signal: controller.signal });
    const staying = flights.run('a', () => promise, { signal });
    controller.abort(new Error('left'));
    await expect(leaving).rejects.toThrow('left');
    resolve('done');
    await expect(staying).resolves.toBe('done');
  });

  it('run() passes a failure to everyone, and forgets it', async () => {
    const flights = new SingleFlight<string>({ deadlineMs: 1000 });
    const fail = () => Promise.reject(new Error('no'));
    const both = await Promise.allSettled([flights.run('a', fail, { signal }), flights.run('a', fail, { signal })]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(flights.run('a', async () => 'yes', { signal })).resolves.toBe('yes');
  });

  it('run() refuses a key too many', async () => {
    const flights = new SingleFlight<void>({ deadlineMs: 1000 });
    const { promise, resolve } = Promise.withResolvers<void>();
    const all = Array.from({ length: 1024 }, (_, key) => flights.run(`${key}`, () => promise, { signal }));
    await expect(flights.run('more', () => promise, { signal })).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    resolve();
    await Promise.all(all);
  });
});
