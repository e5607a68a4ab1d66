/** Fleets of the production swarm and providers, with only clock, network and disk replaced. */
import { describe, expect, it } from '@jest/globals';
import { Fleet, type FleetOptions, type FleetResult } from './fleet.ts';

const SEED = Number(process.env.SHOAL_SIM_SEED ?? 7);

async function run(
  options: Omit<FleetOptions, 'seed'>,
  more = 0,
): Promise<{ fleet: Fleet; result: FleetResult; about: string }> {
  const seed = SEED + more;
  const fleet = new Fleet({ seed, ...options });
  const result = await fleet.run();
  return { fleet, result, about: `seed ${seed}: ${JSON.stringify(result)}` };
}

/** Every honest node that lives has the blob, and the source sent at most so many copies. */
function expectWhole({ result, about }: { result: FleetResult; about: string }, copiesMax: number): void {
  expect({ failed: result.failed, honestBanned: result.honestBanned, about }).toEqual({
    failed: 0,
    honestBanned: 0,
    about,
  });
  if (result.copies > copiesMax) throw new Error(`More than ${copiesMax} copies: ${about}`);
}

/** Calls once when half of all pieces are where they should be. */
function atHalf(options: { members: number; pieces: number }, act: (fleet: Fleet) => void): (fleet: Fleet) => void {
  let isOver = false;
  return (fleet) => {
    if (isOver || fleet.piecesHere < (options.members * options.pieces) / 2) return;
    isOver = true;
    act(fleet);
  };
}

describe('a swarm', () => {
  it('brings one copy to 16 members at nearly the speed of their links', async () => {
    const ran = await run({ members: 16, pieces: 32 });
    expectWhole(ran, 1.05);
    expect(ran.result.idealSeconds / ran.result.medianSeconds).toBeGreaterThan(0.75);
    expect(ran.result.idealSeconds / ran.result.worstSeconds).toBeGreaterThan(0.7);
  }, 60_000);

  it('brings one copy to 100 members', async () => {
    const ran = await run({ members: 100, pieces: 12 });
    expectWhole(ran, 1.05);
  }, 60_000);

  it('brings one copy to 1,000 members', async () => {
    const ran = await run({ members: 1_000, pieces: 4 });
    expectWhole(ran, 1.05);
  }, 240_000);

  it('goes on with the next owner when the first dies half-way', async () => {
    const size = { members: 32, pieces: 24 };
    const ran = await run({ ...size, onTick: atHalf(size, (fleet) => fleet.kill(fleet.owners[0] ?? '')) });
    expect(ran.fleet.deadCount).toBe(1);
    expectWhole(ran, 1.2);
  }, 60_000);

  it('takes nodes in that come late, without another copy', async () => {
    const ran = await run({ members: 24, pieces: 16, startsAtMs: (index) => (index % 4) * 3_000 });
    expectWhole(ran, 1.05);
  }, 60_000);

  it('finds a tenth of members that send wrong bytes, and bans nobody else', async () => {
    const ran = await run({ members: 30, pieces: 24, liars: { share: 0.1, kind: 'serve' } });
    expectWhole(ran, 1.5);
    expect(ran.result.wholeWrong).toBe(0);
    expect(ran.result.liarsBanned).toBeGreaterThan(0);
  }, 60_000);

  it('recovers when members put wrong bytes into circulation that they fetched with a lease', async () => {
    const ran = await run({
      members: 20,
      pieces: 24,
      liars: { share: 0.1, kind: 'fetch' },
      canRead: (index) => index < 8,
    });
    expectWhole(ran, 2.5);
    expect(ran.result.wholeWrong).toBeGreaterThan(0);
    expect(ran.result.liarsBanned).toBeGreaterThan(0);
  }, 60_000);

  it('takes one copy from the source when the only one that holds the whole is wrong in every piece', async () => {
    const liars = { share: 1 / 16, kind: 'hold' as const };
    const ran = await run({ members: 16, pieces: 32, seeds: 1, liars, startsAtMs: () => 2_000 });
    expectWhole(ran, 1.1);
    expect(ran.result.directCopies).toBe(0);
    expect(ran.result.liarsBanned).toBe(1);
    // Most find out before they have the whole.
    expect(ran.result.wholeWrong).toBeLessThan(10);
  }, 60_000);

  it('takes little from the source when one of two that hold the whole is wrong in every piece', async () => {
    const liars = { share: 1 / 16, kind: 'hold' as const };
    const ran = await run({ members: 16, pieces: 32, seeds: 2, liars, startsAtMs: () => 2_000 });
    expectWhole(ran, 0.9);
    expect(ran.result.liarsBanned).toBe(1);
  }, 60_000);

  it('finds one that holds the whole and sends wrong pieces early in a crowd, for a piece or two from the source', async () => {
    const liars = { share: 1 / 16, kind: 'hold' as const };
    const crowd = { members: 16, pieces: 64, pieceMib: 1, linkMbit: 25, registryMbit: 25, liars };
    const alone = await run({ ...crowd, seeds: 1 });
    expectWhole(alone, 1.1);
    expect(alone.result).toMatchObject({ liarsBanned: 1, wholeWrong: 0, directCopies: 0 });
    expect(alone.result.idealSeconds / alone.result.worstSeconds).toBeGreaterThan(0.65);

    const oneOfTwo = await run({ ...crowd, seeds: 2 });
    expectWhole(oneOfTwo, 0.3);
    expect(oneOfTwo.result).toMatchObject({ liarsBanned: 1, wholeWrong: 0, directCopies: 0 });
    expect(oneOfTwo.result.idealSeconds / oneOfTwo.result.worstSeconds).toBeGreaterThan(0.65);
  }, 60_000);

  it('delivers nothing wrong, and ends, when a third of those that read the source lie', async () => {
    const ran = await run({ members: 18, pieces: 16, liars: { share: 1 / 3, kind: 'fetch' } });
    expectWhole(ran, 16);
  }, 120_000);

  it.each([0, 1, 2, 3])(
    'is not held up much by members with a tenth of the link (seed + %i)',
    async (more) => {
      const ran = await run({ members: 20, pieces: 16, stragglers: 0.1 }, more);
      expectWhole(ran, 1.2);
      expect(ran.result.medianSeconds).toBeLessThan(ran.result.idealSeconds * 2.5);
    },
    60_000,
  );

  it('lets members with a tenth of a slow link fetch from members, not from the source', async () => {
    const ran = await run({ members: 16, pieces: 32, stragglers: 0.1, linkMbit: 50, registryMbit: 50 });
    expectWhole(ran, 1.05);
    expect(ran.result.directCopies).toBe(0);
    expect(ran.result.idealSeconds / ran.result.medianSeconds).toBeGreaterThan(0.65);
  }, 60_000);

  it('brings every piece that some member has to all, when the registry stops for good', async () => {
    const size = { members: 16, pieces: 32 };
    const stop = atHalf(size, (fleet) => {
      fleet.registry.isStopped = true;
    });
    const { fleet, result, about } = await run({ ...size, linkMbit: 50, registryMbit: 50, onTick: stop });
    const somewhere = new Set(fleet.nodes.flatMap((node) => node.pieces(fleet.digest)));
    const here = fleet.nodes.map((node) => node.pieces(fleet.digest).length);
    expect({ here, about }).toEqual({ here: fleet.nodes.map(() => somewhere.size), about });
    expect(result.whole).toBe(somewhere.size === 32 ? 16 : 0);
  }, 60_000);

  it('is fed by one member when the registry stops', async () => {
    const size = { members: 16, pieces: 16 };
    const stop = atHalf(size, (fleet) => {
      fleet.registry.isStopped = true;
    });
    const ran = await run({ ...size, seeds: 1, startsAtMs: () => 1_000, onTick: stop });
    expectWhole(ran, 0.05);
  }, 60_000);

  it('waits for a registry that comes back, and takes no more than the rest of the copy', async () => {
    const size = { members: 16, pieces: 16 };
    const stop = atHalf(size, (fleet) => {
      fleet.registry.isStopped = true;
      void fleet.clock.sleep(8_000).then(() => {
        fleet.registry.isStopped = false;
      });
    });
    const ran = await run({ ...size, onTick: stop });
    expectWhole(ran, 1.4);
  }, 60_000);

  it('lets one member that can read the source fetch for all', async () => {
    const ran = await run({ members: 16, pieces: 16, canRead: (index) => index === 5 });
    expectWhole(ran, 1.05);
  }, 60_000);

  it('goes on where an earlier run stopped, and takes little more than the rest from the source', async () => {
    const ran = await run({ members: 12, pieces: 16, resumed: (index) => (index % 3 === 0 ? 12 : 0) });
    // A quarter is missing everywhere; the first leases may go out before those that have more have said so.
    expectWhole(ran, 0.25 + 2 / 16);
  }, 60_000);

  it('takes pieces from the own zone first', async () => {
    const ran = await run({ members: 16, pieces: 8, seeds: 8, startsAtMs: () => 1_000, zones: 2 });
    expectWhole(ran, 0.05);
    const { far, near } = ran.fleet.traffic();
    expect(near).toBeGreaterThan(far);
  }, 60_000);

  it('gives to leeches, which give nothing', async () => {
    const mode = (index: number) => (index % 4 === 3 ? 'leech' : 'full');
    const ran = await run({ members: 16, pieces: 8, mode, canRead: (index) => mode(index) === 'full' });
    expectWhole(ran, 1.05);
    expect(ran.fleet.uplinks().filter((bytes, index) => mode(index) === 'leech' && bytes > 0)).toEqual([]);
  }, 60_000);
});
