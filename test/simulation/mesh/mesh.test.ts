/**
 * The production core in simulated meshes of 10, 100 and 1,000 members. Seeds are in the titles; the same seed gives the same
 * run. 10,000 members: `node test/simulation/mesh/run.ts --members 10000`.
 */
import { describe, expect, it } from '@jest/globals';
import { coldStart, detection, falsePositives, joinConvergence, partition, slowMembers, traffic } from './scenarios.ts';

const TEST_MS = 120_000;

describe('a simulated mesh', () => {
  it.each([
    { members: 10, seed: 1, mostMs: 2_000 },
    { members: 100, seed: 2, mostMs: 4_000 },
    { members: 1_000, seed: 3, mostMs: 6_000 },
  ])(
    'tells $members members of a newcomer within $mostMs ms (seed $seed)',
    ({ mostMs, ...terms }) => {
      expect(joinConvergence(terms).allKnowMs).toBeLessThanOrEqual(mostMs);
    },
    TEST_MS,
  );

  it.each([
    { members: 10, seed: 1 },
    { members: 100, seed: 2 },
  ])(
    'makes everybody known to everybody when $members members start within ten seconds (seed $seed)',
    (terms) => {
      // Ten seconds of starting, and what gossip lost comes with an exchange of states or two.
      expect(coldStart(terms).allKnowMs).toBeLessThanOrEqual(10_000 + 2 * 90_000);
    },
    TEST_MS,
  );

  it.each([
    { members: 10, seed: 1 },
    { members: 10, seed: 2 },
    { members: 100, seed: 1 },
    { members: 100, seed: 2 },
    { members: 1_000, seed: 1 },
  ])(
    'finds a death among $members members as early and as late as the formula says (seed $seed)',
    (terms) => {
      const { firstMs, allMs, leastMs, mostMs } = detection(terms);
      expect(firstMs).toBeGreaterThanOrEqual(leastMs);
      // Confirmations bring it near the least: two probe intervals to be probed, one for the probe, and their rumours.
      expect(firstMs).toBeLessThanOrEqual(leastMs + 8_000);
      expect(allMs).toBeLessThanOrEqual(Math.min(mostMs, firstMs + 5_000));
    },
    TEST_MS,
  );

  it.each([
    { members: 10, seed: 1, loss: 0.01 },
    { members: 10, seed: 1, loss: 0.05 },
    { members: 10, seed: 1, loss: 0.2 },
    { members: 100, seed: 2, loss: 0.01 },
    { members: 100, seed: 2, loss: 0.05 },
    { members: 100, seed: 2, loss: 0.2 },
    { members: 1_000, seed: 3, loss: 0.05 },
  ])(
    'declares no running member of $members dead while $loss of all packets are lost (seed $seed)',
    (terms) => {
      // The rare is looked for where it is cheap.
      const ms = terms.members === 10 ? 600_000 : 60_000;
      expect(falsePositives({ ...terms, ms })).toMatchObject({ deaths: 0 });
    },
    TEST_MS,
  );

  it.each([
    { members: 10, seed: 1 },
    { members: 100, seed: 2 },
  ])(
    'declares no healthy member of $members dead while a tenth is up to 1.5 s late (seed $seed)',
    (terms) => {
      const { ofHealthy } = slowMembers({ ...terms, share: 0.1, slownessMs: 1_500, ms: 60_000 });
      expect(ofHealthy).toBe(0);
    },
    TEST_MS,
  );

  it.each([
    { members: 10, seed: 1, cutMs: 60_000 },
    { members: 100, seed: 2, cutMs: 90_000 },
  ])(
    'heals after $members members were cut in two for $cutMs ms (seed $seed)',
    (terms) => {
      const { givenUp, healMs } = partition(terms);
      expect(givenUp).toBe(terms.members / 2);
      // Lost members are tried every 30 s, then everybody is told.
      expect(healMs).toBeLessThanOrEqual(180_000);
    },
    TEST_MS,
  );

  it(
    'costs each member as many packet bytes a second among 1,000 as among 10',
    () => {
      const [small, middle, large] = [10, 100, 1_000].map(
        (members) => traffic({ members, seed: 1, ms: 60_000 }).packets,
      );
      expect(small).toBeGreaterThan(0);
      expect(middle).toBeLessThanOrEqual((small ?? 0) * 1.2);
      expect(large).toBeLessThanOrEqual((small ?? 0) * 1.2);
    },
    TEST_MS,
  );
});
