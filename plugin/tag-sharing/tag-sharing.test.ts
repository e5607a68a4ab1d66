import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { OCI_MANIFEST } from '../../core/oci/media-types.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { ManualClock } from '../content/fakes/manual-clock.ts';
import type { DatedTag, TagMemory } from '../mirror/mirror.ts';
import type { PeerCalls } from '../peer/peer.ts';
import type { SwarmMember } from '../providers/providers.ts';
import { BELIEVED_MS, type TagSharing, WAVE_MEMBERS, createTagSharing } from './tag-sharing.ts';

const NAME = { registry: 'docker.io', repository: 'library/nginx', tag: '1.27' };
const said = (text: string, ageMs: number): DatedTag => ({
  descriptor: { mediaType: OCI_MANIFEST, digest: digestOf(text), size: text.length },
  ageMs,
});

function memory(known?: DatedTag): TagMemory {
  let last = known;
  return {
    last: async () => last,
    remember: (_, descriptor) => {
      last = { descriptor, ageMs: 0 };
    },
  };
}

const member = (name: string): SwarmMember => ({ name, host: '127.0.0.1', port: 1, zone: '', mode: 'full' });

/** Nodes whose calls go straight to each other, through the wire form; one without a memory does not answer. */
function fleet(memories: Readonly<Record<string, TagMemory | undefined>>) {
  const clock = new ManualClock();
  const members = Object.keys(memories).map(member);
  const asked: string[] = [];
  const nodes = new Map<string, TagSharing>();
  const callsOf = (from: string): PeerCalls => ({
    async call(peer, method, request, { signal }) {
      asked.push(peer.name);
      const handler = nodes.get(peer.name)?.handlers.find((one) => one.method.path === method.path)?.handler;
      if (handler === undefined) throw new CodedError('UNAVAILABLE', 'Nobody is there');
      const reply = await handler(method.requestDeserialize(method.requestSerialize(request)), { peer: from, signal });
      return method.responseDeserialize(method.responseSerialize(reply));
    },
  });
  for (const [self, own] of Object.entries(memories)) {
    if (own === undefined) continue;
    const deps = { self, members: () => members, calls: callsOf(self), own, clock, random: () => 0.5 };
    nodes.set(self, createTagSharing(deps));
  }
  const a = nodes.get('a');
  if (a === undefined) throw new TypeError('Fleet has no node "a"');
  return { a, asked, clock, callsOf, nodes };
}

describe('createTagSharing()', () => {
  it.each([
    ['what only another knows', undefined, said('x', 5), said('x', 5)],
    ['the youngest word', said('old', 9_000), said('new', 5), said('new', 5)],
    ['its own word when that is younger', said('mine', 1), said('theirs', 5), said('mine', 1)],
    ['nothing when nobody knows', undefined, undefined, undefined],
  ])('last() gives %s', async (_title, own, others, wanted) => {
    const { a } = fleet({ a: memory(own), b: memory(), c: memory(others), d: undefined });
    expect(await a.last(NAME)).toEqual(wanted);
  });

  it('last() asks in waves until somebody knows, and each member once', async () => {
    const many = Object.fromEntries(Array.from({ length: 3 * WAVE_MEMBERS }, (_, at) => [`n${at}`, memory()]));
    const { a, asked } = fleet({ a: memory(), ...many });
    expect(await a.last(NAME)).toBeUndefined();
    expect(asked.toSorted()).toEqual(Object.keys(many).toSorted());
    const knowing = fleet({
      a: memory(),
      ...Object.fromEntries(Object.keys(many).map((name) => [name, memory(said('x', 1))])),
    });
    expect(await knowing.a.last(NAME)).toMatchObject(said('x', 1));
    expect(knowing.asked).toHaveLength(WAVE_MEMBERS);
  });

  it('last() asks once for all who want to know, and again after a while', async () => {
    const { a, asked, clock } = fleet({ a: memory(), b: memory(said('x', 1)) });
    await Promise.all([a.last(NAME), a.last(NAME), a.last(NAME)]);
    expect(asked).toEqual(['b']);
    await clock.advance(BELIEVED_MS - 1);
    expect(await a.last(NAME)).toEqual(said('x', BELIEVED_MS));
    expect(asked).toEqual(['b']);
    await clock.advance(1);
    await a.last(NAME);
    expect(asked).toEqual(['b', 'b']);
  });

  it('remember() is for this node alone: nobody is told', async () => {
    const { a, asked } = fleet({ a: memory(), b: memory() });
    a.remember(NAME, said('x', 0).descriptor);
    expect(asked).toEqual([]);
    expect(await a.last(NAME)).toEqual(said('x', 0));
  });

  it('answers members only, from its own memory, and no nonsense', async () => {
    const { callsOf, nodes, asked } = fleet({ a: memory(), b: memory(said('x', 1)) });
    const [handler] = nodes.get('b')?.handlers ?? [];
    if (handler === undefined) throw new TypeError('No handler');
    const { signal } = new AbortController();
    const ask = (request: object, from: string) =>
      callsOf(from).call(member('b'), handler.method, request, { signal, deadlineMs: 1_000 });
    await expect(ask({ ...NAME, from: 'a' }, 'a')).resolves.toMatchObject({ age_ms: 1 });
    await expect(ask({ ...NAME, from: 'stranger' }, '10.0.0.9')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    for (const bad of [{ tag: '../x' }, { repository: 'A B' }, { registry: '' }, { registry: 'x'.repeat(400) }]) {
      await expect(ask({ ...NAME, ...bad }, 'a')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect(asked.filter((name) => name !== 'b')).toEqual([]);
  });

  it('believes no reply that no manifest can be', async () => {
    const huge = { descriptor: { ...said('x', 1).descriptor, size: 2 ** 40 }, ageMs: 0 };
    const nameless = { descriptor: { ...said('x', 1).descriptor, mediaType: 'x'.repeat(400) }, ageMs: 0 };
    const { a } = fleet({ a: memory(), b: memory(huge), c: memory(nameless), d: memory(said('y', 50)) });
    expect(await a.last(NAME)).toEqual(said('y', 50));
  });
});
