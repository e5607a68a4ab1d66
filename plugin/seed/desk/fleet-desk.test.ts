import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../core/runtime/log.ts';
import { noMetrics } from '../../../core/runtime/metrics.ts';
import { CodedError } from '../../../core/runtime/errors.ts';
import { createSeedEvents } from '../events.ts';
import { FakeNode } from '../fakes/fake-node.ts';
import { SeedWorld } from '../../../test/support/seed/seed-world.ts';
import { SEEDS_MAX } from '../limits.ts';
import type { RunningSeed, SeedRequest, SeedStep } from '../seed.ts';
import { FleetDesk } from './fleet-desk.ts';
import type { SeedMember } from './members.ts';

const quiet = { signal: new AbortController().signal };

function member(name: string, zone = ''): SeedMember {
  return { name, zone, host: '10.0.0.1', port: 7948, mode: 'full', version: '1' };
}

/** A desk over made-up nodes. */
class Fleet {
  readonly world = new SeedWorld();
  readonly nodes = new Map<string, FakeNode>();
  live: SeedMember[] = [];
  #ids = 0;
  readonly desk: FleetDesk;

  constructor(...names: string[]) {
    for (const name of names) this.come(member(name));
    const { clock, store } = this.world;
    const manifest = async () => {
      throw new CodedError('NOT_FOUND', 'No such manifest');
    };
    this.desk = new FleetDesk({
      members: { list: () => this.live, reach: ({ name }) => this.node(name) },
      manifests: { store, clock, manifests: { manifest }, origin: { manifest } },
      leases: { ask: async () => ({ isHeld: true, fencing: 1, remainingMs: 1 }) },
      events: createSeedEvents({ log: silentLogger, metrics: noMetrics }),
      newId: () => {
        this.#ids += 1;
        return `id-${this.#ids}`;
      },
      clock,
    });
  }

  node(name: string): FakeNode {
    const node = this.nodes.get(name) ?? new FakeNode();
    this.nodes.set(name, node);
    return node;
  }

  come(one: SeedMember): FakeNode {
    this.live = [...this.live, one];
    return this.node(one.name);
  }

  request(targets: string[], more: Partial<SeedRequest> = {}): SeedRequest {
    const limits = { parallelNodes: 2, parallelBlobs: 4, deadlineMs: 60_000, silenceMs: 3_000 };
    const pin = { name: 'test', untilMs: this.world.clock.now() + 3_600_000 };
    return { pin, level: 'content', images: [this.world.image('app', ['one'])], targets, limits, ...more };
  }

  /** What is told while time passes, by node. */
  async ends(seed: RunningSeed, forMs = 20_000): Promise<Record<string, string>> {
    const told: Record<string, string> = {};
    const reading = (async () => {
      for await (const { node, row } of seed.steps) told[node] = row.code ?? row.state;
    })();
    await this.world.clock.advance(forMs);
    await reading;
    return told;
  }
}

describe('FleetDesk', () => {
  it('seed() tells one end for each node and counts them', async () => {
    const fleet = new Fleet('a', 'b', 'c');
    fleet.node('b').state = 'present';
    const seed = fleet.desk.seed(fleet.request(['a', 'b', 'x']), quiet);
    expect(await fleet.ends(seed)).toEqual({ a: 'fetched', b: 'present', x: 'UNAVAILABLE' });
    expect(seed.counts()).toEqual({ fetched: 1, present: 1, skipped: 0, failed: 1, bytesFetched: 9 });
    expect(fleet.node('c').begun).toEqual([]);
    expect(fleet.node('a').begun[0]?.images[0]?.manifests[0]?.bytes).toBeDefined();
  });

  it('seed() reports a silent node after its silence and goes on with the others', async () => {
    const fleet = new Fleet('a', 'b', 'c');
    fleet.node('a').isSilent = true;
    const startedMs = fleet.world.clock.monotonicMs();
    const request = fleet.request(['a', 'b', 'c']);
    const seed = fleet.desk.seed({ ...request, limits: { ...request.limits, parallelNodes: 1 } }, quiet);
    const told: [string, number][] = [];
    const reading = (async () => {
      for await (const { node } of seed.steps) told.push([node, fleet.world.clock.monotonicMs() - startedMs]);
    })();
    await fleet.world.clock.advance(10_000);
    await reading;
    expect(told.map(([node]) => node)).toEqual(['a', 'b', 'c']);
    expect(told[0]?.[1]).toBeLessThan(4_000);
  });

  it('seed() ends what is not done at the deadline, also of nodes that had no turn', async () => {
    const fleet = new Fleet('a', 'b', 'c');
    for (const node of fleet.nodes.values()) node.state = 'fetching';
    const request = fleet.request(['a', 'b', 'c']);
    const seed = fleet.desk.seed({ ...request, limits: { ...request.limits, deadlineMs: 5_000 } }, quiet);
    expect(await fleet.ends(seed)).toEqual({ a: 'UNAVAILABLE', b: 'UNAVAILABLE', c: 'UNAVAILABLE' });
    expect(fleet.node('a').cancelled).toHaveLength(1);
    expect(fleet.node('c').begun).toEqual([]);
  });

  it('seed() begins anew on a node that has forgotten it, a few times', async () => {
    const fleet = new Fleet('a');
    fleet.node('a').isForgetful = true;
    expect(await fleet.ends(fleet.desk.seed(fleet.request(['a']), quiet))).toEqual({ a: 'NOT_FOUND' });
    expect(fleet.node('a').begun.length).toBeGreaterThan(1);
  });

  it('a newcomer that does not know us yet is asked again', async () => {
    const fleet = new Fleet('a');
    await fleet.ends(fleet.desk.seed(fleet.request(['a'], { newcomers: {} }), quiet));
    const late = fleet.come(member('late'));
    late.isStranger = true;
    fleet.desk.membersChanged();
    await fleet.world.clock.advance(4_000);
    expect(late.begun).toEqual([]);
    late.isStranger = false;
    await fleet.world.clock.advance(1_000);
    expect(late.begun).toHaveLength(1);
    await fleet.desk.stop();
  });

  it('leaving the steps cancels on the nodes and forgets the seed', async () => {
    const fleet = new Fleet('a');
    fleet.node('a').state = 'fetching';
    const seed = fleet.desk.seed(fleet.request(['a']), quiet);
    const reading = (async () => {
      for await (const _step of seed.steps) break;
    })();
    await fleet.world.clock.advance(1_000);
    await reading;
    await fleet.world.clock.advance(1_000);
    expect(fleet.node('a').cancelled).toEqual([seed.id]);
    expect([...fleet.desk.seeds()]).toEqual([]);
  });

  it('seed() takes so many at once', async () => {
    const fleet = new Fleet('a');
    fleet.node('a').state = 'fetching';
    for (let at = 0; at < SEEDS_MAX; at += 1) fleet.desk.seed(fleet.request(['a']), quiet);
    expect(() => fleet.desk.seed(fleet.request(['a']), quiet)).toThrow(/Seed is refused/);
    await fleet.desk.stop();
  });

  it('newcomers get a seed until its pin ends, each once; a later seed of the same replaces it', async () => {
    const fleet = new Fleet('a');
    const { clock } = fleet.world;
    const request = fleet.request(['a', 'named'], { newcomers: { zones: ['z1'] } });
    await fleet.ends(fleet.desk.seed(request, quiet));
    await fleet.ends(fleet.desk.seed(request, quiet));
    expect([...fleet.desk.seeds()]).toMatchObject([{ id: 'id-2', state: 'keeping', newcomers: 0 }]);
    const named = fleet.come(member('named', 'z2'));
    const near = fleet.come(member('near', 'z1'));
    const far = fleet.come(member('far', 'z2'));
    fleet.desk.membersChanged();
    fleet.desk.membersChanged();
    await clock.advance(5_000);
    expect([named, near, far].map(({ begun }) => begun.length)).toEqual([1, 1, 0]);
    expect([...fleet.desk.seeds()]).toMatchObject([{ newcomers: 2 }]);
    fleet.live = fleet.live.filter(({ name }) => name !== 'near');
    fleet.desk.membersChanged();
    fleet.come(member('near', 'z1'));
    fleet.desk.membersChanged();
    await clock.advance(5_000);
    expect(near.begun).toHaveLength(2);
    await clock.advance(3_600_000);
    fleet.come(member('late', 'z1'));
    fleet.desk.membersChanged();
    await clock.advance(1_000);
    expect([...fleet.desk.seeds()]).toEqual([]);
    expect(fleet.node('late').begun).toEqual([]);
    await fleet.desk.stop();
  });

  it('presence() and nodes() tell who was not reached', async () => {
    const fleet = new Fleet('a', 'b');
    fleet.node('b').isSilent = true;
    const rows = await Array.fromAsync(
      fleet.desk.presence({ digests: [], nodes: ['a', 'b', 'x'], silenceMs: 1_000 }, quiet),
    );
    const told = rows.map(({ node, has, reason }) => [node, has !== undefined, reason]);
    expect(told.toSorted()).toEqual([
      ['a', true, undefined],
      ['b', false, 'Node does not answer'],
      ['x', false, 'Node "x" is no live member of the mesh'],
    ]);
    const nodes = await Array.fromAsync(fleet.desk.nodes(quiet));
    expect(nodes.map(({ name, facts }) => [name, facts?.freeBytes])).toEqual([
      ['a', 10],
      ['b', undefined],
    ]);
  });
});

describe('SeedStep order', () => {
  it('an end is told although many steps wait', async () => {
    const fleet = new Fleet('a');
    const seed = fleet.desk.seed(fleet.request(['a']), quiet);
    await fleet.world.clock.advance(5_000);
    const steps: SeedStep[] = await Array.fromAsync(seed.steps);
    expect(steps.map(({ row }) => row.state)).toEqual(['fetched']);
  });
});
