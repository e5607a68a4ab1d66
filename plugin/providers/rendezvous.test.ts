import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { ownersOf } from './rendezvous.ts';

const members = (count: number, from = 0) =>
  Array.from({ length: count }, (_, at) => ({ name: `node-${from + at}`, mode: 'full' as const }));
const digests = Array.from({ length: 3_000 }, (_, at) => digestOf(`blob ${at}`));
const names = (list: readonly { name: string }[]) => list.map(({ name }) => name);

describe('ownersOf', () => {
  it('ownersOf() is the same whatever the order of the members', () => {
    const some = members(50);
    for (const digest of digests.slice(0, 100)) {
      expect(names(ownersOf(digest, some.toReversed()))).toEqual(names(ownersOf(digest, some)));
    }
  });

  it('ownersOf() gives every member about its share', () => {
    const counts = new Map<string, number>();
    for (const digest of digests) {
      const [first] = ownersOf(digest, members(20));
      counts.set(first?.name ?? '', (counts.get(first?.name ?? '') ?? 0) + 1);
    }
    expect(counts.size).toBe(20);
    for (const count of counts.values()) expect(Math.abs(count - 150)).toBeLessThan(60);
  });

  it('ownersOf() moves only what a member that goes owned, and to the owner next in line', () => {
    const all = members(20);
    for (const digest of digests.slice(0, 500)) {
      const before = names(ownersOf(digest, all));
      const after = names(
        ownersOf(
          digest,
          all.filter(({ name }) => name !== 'node-7'),
        ),
      );
      expect(after.slice(0, before.includes('node-7') ? 2 : 3)).toEqual(before.filter((name) => name !== 'node-7'));
    }
  });

  it('ownersOf() takes no observers, and as many as there are', () => {
    const digest = digestOf('one');
    expect(
      names(
        ownersOf(digest, [
          { name: 'a', mode: 'observer' },
          { name: 'b', mode: 'leech' },
        ]),
      ),
    ).toEqual(['b']);
    expect(ownersOf(digest, [])).toEqual([]);
  });
});
