import { describe, expect, it } from '@jest/globals';
import { type Digest, digestOf } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { noMetrics } from '../../core/runtime/metrics.ts';
import { ManualClock } from '../content/fakes/manual-clock.ts';
import type { PeerCalls } from '../peer/peer.ts';
import { createProviders } from './create-providers.ts';
import { KEEP_MS } from './provider-table.ts';
import type { Providers, SwarmMember } from './providers.ts';
import { ownersOf } from './rendezvous.ts';

const signal = new AbortController().signal;
const LAYERS = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => digestOf(name));
const LAYER = digestOf('a');

/** Members that reach each other at once; the silent ones answer nothing. */
class Crowd {
  readonly clock = new ManualClock();
  readonly nodes = new Map<string, Providers>();
  readonly silent = new Set<string>();
  calls: string[] = [];
  #members: SwarmMember[] = [];

  constructor(count: number) {
    for (let at = 0; at < count; at += 1) this.add(`node-${at}`);
  }

  add(name: string): void {
    this.#members = [...this.#members, { name, host: name, port: 1, zone: '', mode: 'full' }];
    const calls: PeerCalls = {
      call: async (peer, method, request) => {
        this.calls.push(method.path.split('/').at(-1) ?? '');
        const found = this.nodes.get(peer.name)?.handlers.find((one) => one.method.path === method.path);
        if (found === undefined || this.silent.has(peer.name)) throw new CodedError('UNAVAILABLE', 'No answer');
        const sent = method.requestDeserialize(method.requestSerialize(request));
        const answer = await found.handler(sent, { peer: name, signal });
        return method.responseDeserialize(method.responseSerialize(answer));
      },
    };
    const deps = {
      self: name,
      members: () => this.#members,
      calls,
      clock: this.clock,
      random: () => 0.3,
      metrics: noMetrics,
    };
    this.nodes.set(name, createProviders(deps));
  }

  remove(name: string): void {
    this.#members = this.#members.filter((member) => member.name !== name);
    this.nodes.delete(name);
    this.changed();
  }

  changed(): void {
    for (const node of this.nodes.values()) node.membersChanged();
  }

  owners(digest: Digest): string[] {
    return ownersOf(digest, this.#members).map(({ name }) => name);
  }

  node(name: string): Providers {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`No ${name}`);
    return node;
  }

  /** One that owns none of the layers. */
  bystander(): Providers {
    const owners = new Set(LAYERS.flatMap((layer) => this.owners(layer)));
    return this.node([...this.nodes.keys()].find((name) => !owners.has(name)) ?? 'node-0');
  }

  async look(asker: Providers, digest: Digest): Promise<string[] | undefined> {
    asker.lookUp([digest]);
    await this.clock.advance(200);
    return asker.peek(digest)?.map(({ name }) => name);
  }
}

describe('createProviders', () => {
  it('lookUp() finds in one hop what a member holds, all layers of one owner in one call', async () => {
    const crowd = new Crowd(40);
    for (const layer of LAYERS) crowd.node('node-3').holds(layer, 'whole');
    await crowd.clock.advance(1_000);
    const asker = crowd.bystander();
    crowd.calls = [];
    asker.lookUp(LAYERS);
    expect(asker.isAsking(LAYER)).toBe(true);
    await crowd.clock.advance(200);
    for (const layer of LAYERS) expect(asker.peek(layer)).toEqual([{ name: 'node-3', state: 'whole', pieces: 0 }]);
    const owners = new Set(LAYERS.map((layer) => crowd.owners(layer)[0]));
    expect(crowd.calls).toEqual([...owners].map(() => 'LookUp'));
    expect(asker.isAsking(LAYER)).toBe(false);
  });

  it('lookUp() asks the next owner when the first does not answer', async () => {
    const crowd = new Crowd(40);
    crowd.node('node-3').holds(LAYER, 'whole');
    await crowd.clock.advance(1_000);
    crowd.silent.add(crowd.owners(LAYER)[0] ?? '');
    crowd.silent.add(crowd.owners(LAYER)[1] ?? '');
    expect(await crowd.look(crowd.bystander(), LAYER)).toEqual(['node-3']);
  });

  it('peek() knows nothing before it was asked, and nothing old', async () => {
    const crowd = new Crowd(10);
    crowd.node('node-3').holds(LAYER, 'whole');
    await crowd.clock.advance(1_000);
    const asker = crowd.node('node-5');
    expect(asker.peek(LAYER)).toBeUndefined();
    expect(await crowd.look(asker, LAYER)).toEqual(['node-3']);
    await crowd.clock.advance(16_000);
    expect(asker.peek(LAYER)).toBeUndefined();
  });

  it('membersChanged() moves lists to new owners, and forgets who is gone', async () => {
    const crowd = new Crowd(12);
    const holders = ['node-3', 'node-4'];
    for (const name of holders) crowd.node(name).holds(LAYER, 'whole');
    await crowd.clock.advance(1_000);
    for (const owner of crowd.owners(LAYER)) if (!holders.includes(owner)) crowd.remove(owner);
    crowd.remove('node-4');
    await crowd.clock.advance(1_000);
    for (const owner of crowd.owners(LAYER)) {
      expect(
        crowd
          .node(owner)
          .listed(LAYER)
          .map(({ name }) => name),
      ).toEqual(['node-3']);
    }
  });

  it('holds() is told again after an owner did not answer, and gone() takes it back', async () => {
    const crowd = new Crowd(12);
    const owners = crowd.owners(LAYER);
    for (const owner of owners) crowd.silent.add(owner);
    const holder = crowd.node([...crowd.nodes.keys()].find((name) => !owners.includes(name)) ?? '');
    holder.holds(LAYER, 'fetching', 3);
    await crowd.clock.advance(1_000);
    const first = crowd.node(owners[0] ?? '');
    expect(first.listed(LAYER)).toEqual([]);
    crowd.silent.clear();
    await crowd.clock.advance(5_000);
    expect(first.listed(LAYER)).toMatchObject([{ state: 'fetching', pieces: 3 }]);
    holder.gone(LAYER);
    await crowd.clock.advance(1_000);
    expect(first.listed(LAYER)).toEqual([]);
  });

  it('start() tells everything again before owners forget it', async () => {
    const crowd = new Crowd(5);
    for (const node of crowd.nodes.values()) await node.start({ signal });
    crowd.node('node-3').holds(LAYER, 'whole');
    await crowd.clock.advance(KEEP_MS * 1.5);
    for (const owner of crowd.owners(LAYER)) expect(crowd.node(owner).listed(LAYER)).toHaveLength(1);
    await Promise.all([...crowd.nodes.values()].map((node) => node.stop()));
  });
});
