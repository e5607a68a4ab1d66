import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Fleet, type FleetMember } from '../../test/simulation/mesh/fleet.ts';
import { MEMBERLIST, SERF_MESSAGES } from './fixtures/goldens.ts';
import { MEMBERS_MAX } from './limits.ts';
import { packCompound } from './wire/compound.ts';
import { writeAlive, writeDead, writePing, writeSuspect, writeUser } from './wire/messages.ts';

const FROM = { address: '10.9.9.9', port: 7946 };
const bytesOf = (hex: string) => Buffer.from(hex, 'hex');

const SEEDS: readonly Buffer[] = [
  ...Object.entries(MEMBERLIST).flatMap(([name, hex]) => (name.startsWith('stream') ? [] : [bytesOf(hex)])),
  ...Object.values(SERF_MESSAGES).map((hex) => writeUser(bytesOf(hex))),
];

/** Sound messages with bytes changed, cut off and put together, and pure noise. */
const packets = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc
    .tuple(
      fc.constantFrom(...SEEDS),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
      fc.nat({ max: 400 }),
    )
    .map(([seed, changes, cut]) => {
      const packet = Buffer.from(seed);
      for (const [at, byte] of changes) packet[at % packet.length] = byte;
      return cut % 4 === 0 ? packet.subarray(0, cut % (packet.length + 1)) : packet;
    }),
  fc.array(fc.constantFrom(...SEEDS), { maxLength: 5 }).map((parts) => packCompound(parts)),
);

describe('MeshCore', () => {
  let fleet: Fleet;
  let member: FleetMember;

  beforeEach(() => {
    fleet = new Fleet({ seed: 1 });
    fleet.addSettled(3);
    const [first] = fleet.members;
    if (first === undefined) throw new Error('The fleet is empty');
    member = first;
    fleet.loop.run(5_000);
  });

  const snapshot = () =>
    [...member.core.table.records()].map(({ name, state, incarnation, address }) => [
      name,
      state,
      incarnation,
      address,
    ]);

  it('survives 100,000 random and mutated packets and streams, and still probes', () => {
    // Without the network: each packet goes straight to the receiver, half of them also as a stream's message.
    let count = 0;
    fc.assert(
      fc.property(fc.array(packets, { minLength: 100, maxLength: 100 }), (batch) => {
        for (const [index, packet] of batch.entries()) {
          member.core.onPacket(packet, FROM);
          if (index % 2 === 0) member.core.onStream(packet, FROM);
          count += 1;
        }
        fleet.loop.run(50);
      }),
      { numRuns: 1_000, seed: 7, endOnFailure: true },
    );
    expect(count).toBe(100_000);
    expect(member.core.table.self.state).toBe('alive');
    expect(member.core.table.size).toBeLessThan(MEMBERS_MAX);
    expect(fleet.drops.get('malformed')).toBeGreaterThan(1_000);
    expect(fleet.drops.get('truncated')).toBeGreaterThan(1_000);
    fleet.network.packets = 0;
    fleet.loop.run(10_000);
    expect(fleet.network.packets).toBeGreaterThan(10);
  }, 60_000);

  it('changes nothing when packets of before are replayed', () => {
    const name = 'node-00001';
    const known = member.core.table.get(name);
    if (known === undefined) throw new Error('The fleet is not settled');
    const { address: addr, port, meta, vsn } = known;
    const history = [
      writeSuspect({ incarnation: 1, node: name, from: 'node-00002' }),
      writeAlive({ incarnation: 2, node: name, addr, port, meta, vsn }),
      writeSuspect({ incarnation: 2, node: name, from: 'node-00002' }),
      writeAlive({ incarnation: 3, node: name, addr, port, meta, vsn }),
      writeDead({ incarnation: 2, node: name, from: 'node-00002' }),
    ];
    for (const packet of history) member.core.onPacket(packet, FROM);
    const before = snapshot();
    for (const packet of [...history, ...history.toReversed()]) member.core.onPacket(packet, FROM);
    expect(snapshot()).toEqual(before);
    expect(member.core.table.get(name)).toMatchObject({ state: 'alive', incarnation: 3 });
  });

  it('drops a ping for another member, and one that is cut, and counts them', () => {
    const ping = writePing({ seqNo: 1, node: 'somebody', sourceAddr: '', sourcePort: 0, sourceNode: '' });
    member.core.onPacket(ping, FROM);
    member.core.onPacket(ping.subarray(0, 5), FROM);
    expect([...fleet.drops]).toEqual([
      ['other_member', 1],
      ['truncated', 1],
    ]);
  });

  it('sees a member that leaves as left at once, and goes on with those that stay', () => {
    const leaver = fleet.members[1];
    let isDone = false;
    leaver?.core.leave(() => {
      isDone = true;
    });
    fleet.loop.run(12_000, () => isDone);
    expect(isDone).toBe(true);
    if (leaver !== undefined) fleet.kill(leaver);
    fleet.loop.run(60_000);
    expect(fleet.deaths).toEqual([]);
    expect([...member.core.records()].find(({ name }) => name === leaver?.name)?.state).toBe('left');
    expect(member.core.countAlive()).toBe(2);
  });

  it('keeps a dead member on its list when the protocol has forgotten it', () => {
    const victim = fleet.members[2];
    if (victim !== undefined) fleet.kill(victim);
    fleet.loop.run(120_000);
    expect(member.core.table.get('node-00002')).toBeUndefined();
    expect([...member.core.records()].map(({ name, state }) => `${name} ${state}`).sort()).toEqual([
      'node-00000 alive',
      'node-00001 alive',
      'node-00002 dead',
    ]);
  });

  it('tells listeners of each change until they are taken away', () => {
    const seen: string[] = [];
    const remove = member.core.onChange((before, after) => seen.push(`${after.name} ${before?.state} ${after.state}`));
    const [, second, third] = fleet.members;
    if (second !== undefined) fleet.kill(second);
    fleet.loop.run(40_000);
    expect(seen).toEqual(['node-00001 alive suspect', 'node-00001 suspect dead']);
    remove();
    if (third !== undefined) fleet.kill(third);
    fleet.loop.run(40_000);
    expect(seen).toHaveLength(2);
  });
});
