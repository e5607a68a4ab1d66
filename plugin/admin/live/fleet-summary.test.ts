import { describe, expect, it } from '@jest/globals';
import type { MemberFacts, Surveyed } from '../../survey/survey.ts';
import type { MemberRow } from '../admin.ts';
import { ZONES_MAX, summarise } from './fleet-summary.ts';
import { MemberHistory } from './member-changes.ts';
import { MemberViews } from './member-view.ts';

const FACTS: MemberFacts = {
  version: '1',
  ...{ nowMs: 0, startedAtMs: 0, blobs: 2, bytes: 10, capacityBytes: 100, freeBytes: 50 },
  ...{ flights: 1, bytesFromRegistries: 3, bytesFromPeers: 4, bytesServed: 9 },
  bytesByHold: { containerd: 4, cache: 6, pin: 0 },
  swarms: [],
};
const row = (name: string, zone = 'z', state = 'alive'): MemberRow => ({
  ...{ name, address: '10.0.0.1', port: 7946, state },
  node: { zone, peerPort: 7948, version: '1', mode: 'full' },
});
const said = (more: Partial<Surveyed> = {}): Surveyed => ({
  ...{ askedAtMs: 0, facts: FACTS, skewMs: 0, failure: undefined },
  ...more,
});

describe('MemberViews', () => {
  it('gives the same object for a member of which nothing changed', () => {
    const views = new MemberViews('a');
    const surveyed = new Map([['a', said()]]);
    const [before] = views.views([row('a')], surveyed);
    expect(views.views([row('a')], surveyed)[0]).toBe(before);
    expect(views.views([row('a', 'z', 'suspect')], surveyed)[0]).not.toBe(before);
    expect(before).toMatchObject({
      self: true,
      shoal: true,
      address: '10.0.0.1:7946',
      facts: { bytes: 10 },
      silent: null,
    });
  });

  it('tells of a clock only when it is off by a second', () => {
    const skewOf = (skewMs: number) =>
      new MemberViews('x').views([row('a')], new Map([['a', said({ skewMs })]]))[0]?.facts?.skew_seconds;
    expect([skewOf(900), skewOf(-900), skewOf(2_400), skewOf(-61_000)]).toEqual([0, 0, 2, -61]);
  });
});

describe('MemberHistory', () => {
  it('numbers each state, and tells what leads to it', () => {
    const views = new MemberViews('a');
    const history = new MemberHistory();
    const look = (rows: MemberRow[], surveyed = new Map<string, Surveyed>()) =>
      history.look(views.views(rows, surveyed));
    expect(look([row('a'), row('b')])).toMatchObject({ rev: 1, changed: [{ name: 'a' }, { name: 'b' }], gone: [] });
    expect(look([row('a'), row('b')])).toBeUndefined();
    // Asked again, with the same answer: nothing to tell.
    look([row('a'), row('b')], new Map([['a', said()]]));
    expect(look([row('a'), row('b')], new Map([['a', said({ askedAtMs: 9 })]]))).toBeUndefined();
    expect(look([row('b')])).toEqual({ rev: 3, changed: [], gone: ['a'] });
    expect(history.members().map(({ name }) => name)).toEqual(['b']);
  });
});

describe('summarise()', () => {
  it('adds up by zone what the living told', () => {
    const rows = [
      row('a', 'z1'),
      row('b', 'z1'),
      row('c', 'z2'),
      row('d', 'z2', 'dead'),
      { ...row('serf'), node: undefined },
    ];
    const surveyed = new Map([
      ['a', said()],
      ['b', said({ failure: 'silent', facts: undefined })],
      ['d', said()],
    ]);
    const summary = summarise(new MemberViews('a').views(rows, surveyed));
    expect(summary).toMatchObject({
      states: { alive: 4, dead: 1 },
      ...{ members: 4, told: 1, silent: 1, bytes: 10, bytes_from_registries: 3 },
      zones: [
        { zone: 'z1', members: 2, alive: 2, told: 1, bytes: 10 },
        { zone: 'z2', members: 2, alive: 1, told: 0 },
      ],
    });
  });

  it('gathers zones beyond the bound in one, losing nobody', () => {
    const rows = Array.from({ length: ZONES_MAX + 50 }, (_, at) => row(`n${at}`, `z${at}`));
    const { zones } = summarise(new MemberViews('').views(rows, new Map()));
    expect(zones).toHaveLength(ZONES_MAX);
    expect(zones.at(-1)).toMatchObject({ zone: '…', members: 51 });
    expect(zones.slice(0, 3).map(({ zone }) => zone)).toEqual(['z0', 'z1', 'z2']);
  });
});
