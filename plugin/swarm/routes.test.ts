import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { settle } from '../content/fakes/manual-clock.ts';
import type { Route } from '../content/blob-source.ts';
import type { Provider } from '../providers/providers.ts';
import type { Crowd } from './crowd.ts';
import { Routes } from './routes.ts';

const want = { digest: digestOf('wanted'), size: 1, sources: [] };
const { signal } = new AbortController();

function setUp(more: { isSharing?: boolean } = {}) {
  const seen = {
    providers: [] as Provider[] | undefined,
    isAsking: false,
    source: 'asking' as Route,
    word: undefined as ReturnType<Crowd['word']>,
    banned: new Set<string>(),
  };
  const done: string[] = [];
  const crowd: Pick<Crowd, 'word' | 'ask' | 'refresh' | 'settled'> = {
    word: () => seen.word,
    ask: () => void done.push('crowd asked'),
    refresh: () => void done.push('crowd refreshed'),
    settled: async () => undefined,
  };
  const routes = new Routes({
    crowd,
    isSharing: more.isSharing ?? true,
    isUsable: (name) => !seen.banned.has(name),
    providers: {
      peek: () => seen.providers,
      lookUp: () => void done.push('owners asked'),
      settled: async () => undefined,
      isAsking: () => seen.isAsking,
    },
    origin: {
      prepare: () => {
        done.push('source asked');
        seen.source = 'yes';
      },
      route: () => seen.source,
      settled: async () => undefined,
      fetch: async () => undefined,
    },
  });
  return { routes, seen, done };
}

const has = (name: string, state: Provider['state']): Provider => ({ name, state, pieces: 0 });

describe('Routes', () => {
  it.each([
    { about: 'a member holds it', seen: { providers: [has('a', 'whole')] }, route: 'yes' },
    { about: 'a Write of it runs', seen: { providers: [has('a', 'writing')] }, route: 'yes' },
    { about: 'somebody fetches it', seen: { providers: [has('a', 'fetching')] }, route: 'yes' },
    { about: 'the source can be read', seen: { source: 'yes' }, route: 'yes' },
    { about: 'its owner said to wait', seen: { word: 'claim' }, route: 'yes' },
    { about: 'its owner said to write', seen: { word: 'writer', source: 'no' }, route: 'no' },
    {
      about: 'others fetch it, but its owner says to write',
      seen: { word: 'writer', source: 'no', providers: [has('a', 'fetching')] },
      route: 'no',
    },
    { about: 'its owner is being asked', seen: { word: 'asking', source: 'no' }, route: 'asking' },
    { about: 'owners are being asked who has it', seen: { isAsking: true, source: 'no' }, route: 'asking' },
    { about: 'nobody has it and the source refuses', seen: { source: 'no' }, route: 'no' },
    {
      about: 'its only holder is banned',
      seen: { source: 'no', providers: [has('liar', 'whole')], banned: new Set(['liar']) },
      route: 'no',
    },
  ] as const)('route() is $route when $about', ({ seen: given, route }) => {
    const { routes, seen } = setUp();
    Object.assign(seen, given);
    expect(routes.route(want)).toBe(route);
  });

  it('route() is never by the source for a leech', () => {
    const { routes, seen } = setUp({ isSharing: false });
    seen.source = 'yes';
    expect(routes.route(want)).toBe('no');
  });

  it('prepare() asks members first, and the source when none of them has anything', async () => {
    const { routes, done } = setUp();
    routes.prepare(want);
    expect(done).toEqual(['crowd refreshed', 'owners asked']);
    await settle();
    expect(done).toEqual(['crowd refreshed', 'owners asked', 'source asked']);
  });

  it.each([
    { about: 'has it', seen: { providers: [has('a', 'whole')] } },
    { about: 'fetches it', seen: { providers: [has('a', 'fetching')] } },
    { about: 'brings it, by its owner’s word', seen: { word: 'claim' as const } },
  ])('prepare() does not ask the source when a member $about', async ({ seen: given }) => {
    const { routes, seen, done } = setUp();
    Object.assign(seen, given);
    routes.prepare(want);
    await settle();
    expect(done).not.toContain('source asked');
  });

  it('prepare() takes one step of a blob at a time', async () => {
    const { routes, done } = setUp();
    routes.prepare(want);
    routes.prepare(want);
    expect(done.filter((one) => one === 'owners asked')).toHaveLength(1);
    await settle();
    routes.prepare(want);
    expect(done.filter((one) => one === 'owners asked')).toHaveLength(2);
  });

  it('gather() asks the owner who writes, unless somebody has it or this node reads the source', () => {
    const asks = (given: object) => {
      const { routes, seen, done } = setUp();
      Object.assign(seen, given);
      routes.gather(want);
      return done.includes('crowd asked');
    };
    const cases = [{}, { providers: [has('a', 'fetching')] }, { source: 'yes' }, { providers: [has('a', 'whole')] }];
    expect(cases.map(asks)).toEqual([true, true, false, false]);
  });

  it('settled() asks the source in the end', async () => {
    const { routes, done } = setUp();
    await routes.settled(want, { signal });
    expect([routes.route(want), done]).toEqual(['yes', ['source asked']]);
  });

  it('settled() rejects with the reason of an abort', async () => {
    const { routes } = setUp();
    await expect(routes.settled(want, { signal: AbortSignal.abort(new Error('over')) })).rejects.toThrow('over');
  });
});
