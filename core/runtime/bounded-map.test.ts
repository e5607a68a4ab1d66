import { describe, expect, it } from '@jest/globals';
import { BoundedMap } from './bounded-map.ts';

describe('BoundedMap', () => {
  it('set() forgets what was longest unused', () => {
    const map = new BoundedMap<string, number>({ entriesMax: 2 });
    map.set('a', 1);
    map.set('b', 2);
    expect(map.get('a')).toBe(1);
    map.set('c', 3);
    expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([1, undefined, 3, 2]);
    map.delete('a');
    expect([map.get('a'), map.size]).toEqual([undefined, 1]);
  });

  it('has() does not count as a use, and keys() begin with the oldest', () => {
    const map = new BoundedMap<number, true>({ entriesMax: 2 });
    map.set(1, true);
    map.set(2, true);
    expect(map.has(1)).toBe(true);
    map.set(3, true);
    expect([map.has(1), [...map.keys()]]).toEqual([false, [2, 3]]);
  });
});
