/** What is measured in a simulated mesh. Each builds its own fleet from a seed; times are simulated milliseconds. */
import { suspicionTimeoutMs } from '../../../plugin/mesh/members/formulas.ts';
import { Fleet, type FleetMember } from './fleet.ts';

/** Longer than any of this takes. */
const HORIZON_MS = 600_000;
/** Announcements of the start have been told and are quiet by then. */
const SETTLING_MS = 10_000;
/** How often a whole fleet is looked at, which costs more than simulating it. */
const LOOK_MS = 100;

export interface Terms {
  readonly members: number;
  readonly seed: number;
}

/** One member joins a settled mesh: until everybody knows it, and it everybody. */
export function joinConvergence({ members, seed }: Terms): { allKnowMs: number } {
  const fleet = settled({ members: members - 1, seed });
  const newcomer = fleet.add();
  const startMs = fleet.loop.nowMs();
  newcomer.core.join(first(fleet).endpoint, () => undefined);
  const isDone = () => newcomer.core.countAlive() === members && fleet.isKnownAlive(newcomer.name);
  return { allKnowMs: until(fleet, isDone) - startMs };
}

/** Everybody joins the first member within ten seconds: until everybody knows everybody. */
export function coldStart({ members, seed }: Terms): { allKnowMs: number } {
  const fleet = new Fleet({ seed });
  const seedMember = fleet.add();
  for (let index = 1; index < members; index += 1) {
    fleet.loop.after((index / members) * 10_000, () => {
      fleet.add().core.join(seedMember.endpoint, () => undefined);
    });
  }
  const isDone = () =>
    fleet.members.length === members && fleet.members.every(({ core }) => core.countAlive() === members);
  return { allKnowMs: until(fleet, isDone) };
}

export interface Detection {
  /** Until the first member declares it dead, and until all have. */
  readonly firstMs: number;
  readonly allMs: number;
  /** memberlist's formula: the least and the most that a suspicion lasts. */
  readonly leastMs: number;
  readonly mostMs: number;
}

/** One member dies without a word. */
export function detection({ members, seed }: Terms): Detection {
  const fleet = settled({ members, seed });
  const victim = last(fleet);
  const startMs = fleet.loop.nowMs();
  fleet.kill(victim);
  const allMs = until(fleet, () => fleet.isKnownGone(victim.name)) - startMs;
  const firstMs = (fleet.deaths.find(({ name }) => name === victim.name)?.atMs ?? Number.NaN) - startMs;
  const leastMs = suspicionTimeoutMs(fleet.timings.suspicionFactor, members, fleet.timings.probeIntervalMs);
  return { firstMs, allMs, leastMs, mostMs: leastMs * fleet.timings.suspicionMaxFactor };
}

export interface FalsePositives {
  /** Times that somebody declared a running member dead. */
  readonly deaths: number;
  /** Different members that this happened to. */
  readonly victims: number;
  readonly memberMinutes: number;
}

/** Nobody dies, but packets are lost. */
export function falsePositives({ members, seed, loss, ms }: Terms & { loss: number; ms: number }): FalsePositives {
  const fleet = settled({ members, seed });
  fleet.network.terms.loss = loss;
  fleet.loop.run(ms);
  return count(fleet, ms);
}

/** A share of members answers up to `slownessMs` late, in both directions. */
export function slowMembers(terms: Terms & { share: number; slownessMs: number; ms: number }): {
  readonly all: FalsePositives;
  /** Deaths of members that are not slow. */
  readonly ofHealthy: number;
} {
  const fleet = settled(terms);
  const slow = fleet.members.slice(0, Math.ceil(fleet.members.length * terms.share));
  let step = terms.seed;
  for (const { endpoint } of slow) {
    fleet.network.slownessMs.set(`${endpoint.address} ${endpoint.port}`, () => {
      step = (step * 16_807) % 2_147_483_647;
      return (step / 2_147_483_647) * terms.slownessMs;
    });
  }
  fleet.loop.run(terms.ms);
  const names = new Set(slow.map(({ name }) => name));
  return { all: count(fleet, terms.ms), ofHealthy: fleet.falseDeaths().filter(({ name }) => !names.has(name)).length };
}

/** A mesh is cut in two for `cutMs`, then heals: until everybody holds everybody for alive again. */
export function partition({ members, seed, cutMs }: Terms & { cutMs: number }): {
  /** Members that each side had given up at the end of the cut, at least. */
  readonly givenUp: number;
  readonly healMs: number;
} {
  const fleet = settled({ members, seed });
  for (const { endpoint } of fleet.members.slice(0, members / 2)) {
    fleet.network.groups.set(`${endpoint.address} ${endpoint.port}`, 1);
  }
  fleet.loop.run(cutMs);
  const givenUp = Math.min(...fleet.members.map(({ core }) => members - core.countAlive()));
  fleet.network.groups.clear();
  const startMs = fleet.loop.nowMs();
  const isDone = () => fleet.members.every(({ core }) => core.countAlive() === members);
  return { givenUp, healMs: until(fleet, isDone) - startMs };
}

/** What a quiet mesh costs each member, sent bytes a second. */
export function traffic({ members, seed, ms }: Terms & { ms: number }): { packets: number; streams: number } {
  const fleet = settled({ members, seed });
  fleet.network.packetBytes = 0;
  fleet.network.streamBytes = 0;
  fleet.loop.run(ms);
  const perMember = (bytes: number) => bytes / members / (ms / 1_000);
  return { packets: perMember(fleet.network.packetBytes), streams: perMember(fleet.network.streamBytes) };
}

function settled({ members, seed }: Terms): Fleet {
  const fleet = new Fleet({ seed });
  fleet.addSettled(members);
  fleet.loop.run(SETTLING_MS);
  return fleet;
}

/** @returns the moment; NaN when it never came */
function until(fleet: Fleet, isDone: () => boolean): number {
  const endMs = fleet.loop.nowMs() + HORIZON_MS;
  while (fleet.loop.nowMs() < endMs) {
    fleet.loop.run(LOOK_MS);
    if (isDone()) return fleet.loop.nowMs();
  }
  return Number.NaN;
}

function count(fleet: Fleet, ms: number): FalsePositives {
  const deaths = fleet.falseDeaths();
  const victims = new Set(deaths.map(({ name }) => name)).size;
  return { deaths: deaths.length, victims, memberMinutes: (fleet.members.length * ms) / 60_000 };
}

function first(fleet: Fleet): FleetMember {
  const [member] = fleet.members;
  if (member === undefined) throw new Error('The fleet is empty');
  return member;
}

function last(fleet: Fleet): FleetMember {
  const member = fleet.members.at(-1);
  if (member === undefined) throw new Error('The fleet is empty');
  return member;
}
