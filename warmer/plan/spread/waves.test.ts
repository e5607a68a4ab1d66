import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hashText } from './rendezvous.ts';
import { makeWaves } from './waves.ts';
import type { Placed } from './zone-order.ts';

const place = (name: string, zone: string, index = 0): Placed => ({ index, name, zone, hash: hashText(name) });
const fleet = (count: number, zones: number): Placed[] =>
  Array.from({ length: count }, (_, index) => place(`node-${index}`, `zone-${index % zones}`, index));
const zonesOf = (wave: readonly string[] | undefined, nodes: readonly Placed[]) =>
  new Set(wave?.map((name) => nodes.find((node) => node.name === name)?.zone));

describe('makeWaves()', () => {
  it('seeds one node of each zone, then doubles the holders', () => {
    const nodes = fleet(50, 3);
    const waves = makeWaves(nodes, [], 'image');
    expect(waves.map(({ length }) => length)).toEqual([3, 3, 6, 12, 24, 2]);
    expect(zonesOf(waves[0], nodes).size).toBe(3);
    expect(zonesOf(waves[2], nodes).size).toBe(3);
  });

  it('needs no seed in a zone that has a holder', () => {
    const nodes = fleet(20, 2);
    const holders = [place('old', 'zone-0')];
    const waves = makeWaves(nodes, holders, 'image');
    expect([...zonesOf(waves[0], nodes)]).toEqual(['zone-1']);
    expect(waves.map(({ length }) => length)).toEqual([1, 2, 4, 8, 5]);
    expect(makeWaves(nodes, [...holders, place('too', 'zone-1')], 'image')[0]).toHaveLength(2);
  });

  it('has no wave when nothing is missing', () => {
    expect(makeWaves([], fleet(3, 1), 'image')).toEqual([]);
  });

  it('names every node once, never more at a time than there are holders, the same way each time', () => {
    const sizes = fc.record({ count: fc.nat(200), zones: fc.integer({ min: 1, max: 9 }), held: fc.nat(5) });
    fc.assert(
      fc.property(sizes, ({ count, zones, held }) => {
        const nodes = fleet(count, zones);
        const holders = Array.from({ length: held }, (_, index) => place(`old-${index}`, `zone-${index}`));
        const waves = makeWaves(nodes, holders, 'image');
        expect(waves.flat().sort()).toEqual(nodes.map(({ name }) => name).sort());
        let holderCount = holders.length;
        for (const [index, wave] of waves.entries()) {
          expect(wave.length).toBeLessThanOrEqual(index === 0 ? Math.max(holderCount, zones) : holderCount);
          holderCount += wave.length;
        }
        expect(makeWaves(nodes.toReversed(), holders, 'image')).toEqual(waves);
      }),
    );
  });
});
