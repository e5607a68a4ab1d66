import { describe, expect, it } from '@jest/globals';
import { LEASES_MAX } from '../limits.ts';
import type { LeaseAsk } from '../seed.ts';
import { LeaseBook } from './lease-book.ts';

const ask = (holder: string, action: LeaseAsk['action'], name = 'warmer'): LeaseAsk => ({
  ...{ name, holder, action },
  seconds: 10,
});

describe('LeaseBook', () => {
  it('decide() gives a lease to one until it ends or is released; fencing rises with each holder', () => {
    const book = new LeaseBook();
    expect(book.decide(ask('one', 'acquire'), 0)).toEqual({
      isHeld: true,
      holder: 'one',
      fencing: 1,
      remainingMs: 10_000,
    });
    expect(book.decide(ask('two', 'acquire'), 1_000)).toMatchObject({
      isHeld: false,
      holder: 'one',
      remainingMs: 9_000,
    });
    expect(book.decide(ask('one', 'renew'), 5_000)).toMatchObject({ isHeld: true, fencing: 1, remainingMs: 10_000 });
    expect(book.decide(ask('two', 'release'), 5_000)).toMatchObject({ isHeld: false, holder: 'one' });
    expect(book.decide(ask('two', 'acquire'), 15_000)).toMatchObject({ isHeld: true, holder: 'two', fencing: 2 });
    expect(book.decide(ask('one', 'renew'), 15_000)).toMatchObject({ isHeld: false, holder: 'two' });
    expect(book.decide(ask('two', 'release'), 15_000)).toEqual({ isHeld: false, fencing: 3, remainingMs: 0 });
    expect(book.decide(ask('one', 'renew'), 15_000)).toMatchObject({ isHeld: false });
    expect(book.decide(ask('one', 'acquire'), 15_000)).toMatchObject({ isHeld: true, fencing: 4 });
  });

  it('learn() goes by fencing, then by the later end: an old word ends no lease', () => {
    const book = new LeaseBook();
    book.decide(ask('one', 'acquire'), 0);
    const told = { name: 'warmer', fencing: 1, remainingMs: 0 };
    book.learn({ ...told, holder: '' }, 1_000);
    expect(book.look('warmer', 1_000)).toMatchObject({ holder: 'one' });
    book.learn({ ...told, holder: 'one', remainingMs: 60_000 }, 1_000);
    expect(book.look('warmer', 1_000).remainingMs).toBe(60_000);
    book.learn({ ...told, holder: '', fencing: 2 }, 1_000);
    expect(book.look('warmer', 1_000)).toMatchObject({ holder: '', fencing: 2 });
  });

  it('has so many names, ended ones give their place', () => {
    const book = new LeaseBook();
    for (let at = 0; at < LEASES_MAX; at += 1) book.decide(ask('one', 'acquire', `n-${at}`), 0);
    expect(() => book.decide(ask('one', 'acquire', 'more'), 0)).toThrow(/names have a lease/);
    expect(book.decide(ask('one', 'acquire', 'more'), 20_000)).toMatchObject({ isHeld: true });
  });
});
