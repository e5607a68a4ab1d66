import { describe, expect, it } from '@jest/globals';
import { EventLoop } from '../../../test/simulation/mesh/event-loop.ts';
import { Suspicions } from './suspicions.ts';

const TERMS = { from: 'a', wanted: 2, leastMs: 4_000, mostMs: 24_000 };

function world() {
  const loop = new EventLoop();
  const ended: string[] = [];
  const suspicions = new Suspicions({ scheduler: loop, onEnd: (name) => ended.push(`${name} ${loop.nowMs()}`) });
  return { loop, ended, suspicions };
}

describe('Suspicions', () => {
  it('last the most when nobody confirms, and the least when no confirmation is expected', () => {
    const { loop, ended, suspicions } = world();
    suspicions.start('lonely', { ...TERMS, wanted: 0 });
    suspicions.start('doubted', TERMS);
    loop.run(60_000);
    expect(ended).toEqual(['lonely 4000', 'doubted 24000']);
  });

  it('confirm() shortens them by news only', () => {
    const { loop, ended, suspicions } = world();
    suspicions.start('x', TERMS);
    loop.run(1_000);
    expect(['a', 'b', 'b', 'c', 'd'].map((from) => suspicions.confirm('x', from))).toEqual([
      false,
      true,
      false,
      true,
      false,
    ]);
    expect(suspicions.confirm('unknown', 'b')).toBe(false);
    loop.run(60_000);
    expect(ended).toEqual(['x 4000']);
  });

  it('confirm() ends them at once when their time is over already', () => {
    const { loop, ended, suspicions } = world();
    suspicions.start('x', TERMS);
    loop.run(10_000);
    suspicions.confirm('x', 'b');
    suspicions.confirm('x', 'c');
    loop.run(1);
    expect(ended).toEqual(['x 10000']);
  });

  it('clear() ends them without a word', () => {
    const { loop, ended, suspicions } = world();
    suspicions.start('x', TERMS);
    suspicions.clear('x');
    suspicions.start('y', TERMS);
    suspicions.stop();
    loop.run(60_000);
    expect(ended).toEqual([]);
  });
});
