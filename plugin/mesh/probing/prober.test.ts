import { beforeEach, describe, expect, it } from '@jest/globals';
import { Fleet, type FleetMember } from '../../../test/simulation/mesh/fleet.ts';
import type { Endpoint } from '../net/transport.ts';

describe('Prober', () => {
  let fleet: Fleet;
  const at = (index: number): FleetMember => {
    const member = fleet.members[index];
    if (member === undefined) throw new Error(`There is no member ${index}`);
    return member;
  };
  const isBetween = (one: number, other: number) => (from: Endpoint, to: Endpoint) =>
    (from.address === at(one).endpoint.address && to.address === at(other).endpoint.address) ||
    (from.address === at(other).endpoint.address && to.address === at(one).endpoint.address);
  const statesAt = (index: number) => [...at(index).core.table.records()].map(({ state }) => state);

  beforeEach(() => {
    fleet = new Fleet({ seed: 5 });
    fleet.addSettled(5);
    fleet.loop.run(5_000);
  });

  it('holds a member for alive that answers only through others', () => {
    fleet.network.isPacketCut = isBetween(0, 1);
    fleet.loop.run(120_000);
    expect(statesAt(0)).toEqual(Array(5).fill('alive'));
    expect(at(1).core.table.self.incarnation).toBe(1);
    expect(at(0).core.health).toBe(0);
  });

  it('holds a member for alive that answers only over TCP', () => {
    fleet.network.isPacketCut = (_from, to) => to.address === at(1).endpoint.address;
    fleet.loop.run(20_000);
    expect(fleet.deaths.filter(({ name }) => name === at(1).name)).toEqual([]);
    expect(at(0).core.table.get(at(1).name)?.state).toBe('alive');
  });

  it('doubts itself first when it hears nobody, and is well again when it does', () => {
    const self = at(0).endpoint.address;
    fleet.network.groups.set(`${self} 7946`, 1);
    fleet.loop.run(20_000);
    expect(at(0).core.health).toBeGreaterThanOrEqual(4);
    expect(at(1).core.health).toBeLessThanOrEqual(2);
    fleet.network.groups.clear();
    fleet.loop.run(180_000);
    expect(at(0).core.health).toBe(0);
    for (const index of [0, 1, 2, 3, 4]) expect(statesAt(index)).toEqual(Array(5).fill('alive'));
  });

  it('lets a suspect object, so that it never dies', () => {
    const victim = at(1);
    for (let count = 0; count < 5; count += 1) {
      const { incarnation } = victim.core.table.self;
      at(0).core.onPacket(Buffer.from(suspicionOf(victim.name, incarnation)), victim.endpoint);
      expect(at(0).core.table.get(victim.name)?.state).toBe('suspect');
      fleet.loop.run(3_000);
      expect(at(0).core.table.get(victim.name)).toMatchObject({ state: 'alive', incarnation: incarnation + 1 });
    }
    expect(fleet.deaths).toEqual([]);
  });
});

/** What memberlist sends: type 3 and a map of three fields. */
function suspicionOf(node: string, incarnation: number): number[] {
  const text = (value: string) => [0xa0 | value.length, ...Buffer.from(value)];
  return [
    3,
    0x83,
    ...text('From'),
    ...text('liar'),
    ...text('Incarnation'),
    incarnation,
    ...text('Node'),
    ...text(node),
  ];
}
