import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DEGREE, NeighbourGraph } from './neighbour-graph.ts';

/** How many can be reached from one. */
function reach(graph: NeighbourGraph, from: string): number {
  const seen = new Set([from]);
  const next = [from];
  for (let name = next.pop(); name !== undefined; name = next.pop()) {
    for (const other of graph.neighbours(name)) {
      if (seen.has(other)) continue;
      seen.add(other);
      next.push(other);
    }
  }
  return seen.size;
}

describe('NeighbourGraph', () => {
  it('add() and remove() keep it connected, symmetric and of bounded degree', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { maxLength: 150 }),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999 })),
        (moves, chance) => {
          const graph = new NeighbourGraph(() => chance.next().value ?? 0);
          const present: string[] = Array.from({ length: 20 }, (_, at) => `first-${at}`);
          for (const name of present) graph.add(name);
          moves.forEach((isJoin, at) => {
            if (isJoin || present.length < 4) present.push(`m${at}`);
            if (isJoin || present.length < 4) graph.add(`m${at}`);
            else graph.remove(present.splice(at % present.length, 1)[0] ?? '');
          });
          for (const name of present) {
            expect(graph.neighbours(name).size).toBeLessThanOrEqual(DEGREE);
            for (const other of graph.neighbours(name)) expect(graph.neighbours(other).has(name)).toBe(true);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('add() makes a connected graph of nearly full degree out of a thousand', () => {
    let state = 1;
    const random = () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return state / 0x80000000;
    };
    const graph = new NeighbourGraph(random);
    for (let at = 0; at < 1_000; at += 1) graph.add(`n${at}`);
    for (let at = 0; at < 300; at += 1) graph.remove(`n${at * 3}`);
    expect(reach(graph, 'n1')).toBe(700);
    const degrees = Array.from({ length: 1_000 }, (_, at) => graph.neighbours(`n${at}`).size).filter(
      (size) => size > 0,
    );
    expect(degrees.reduce((sum, size) => sum + size, 0) / 700).toBeGreaterThan(DEGREE - 1.5);
  });
});
