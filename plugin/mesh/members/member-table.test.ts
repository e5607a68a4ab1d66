import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Alive } from '../wire/messages.ts';
import type { MemberRecord } from './member-record.ts';
import { MemberTable, aliveOf } from './member-table.ts';

const VSN = Uint8Array.of(1, 5, 2, 2, 5, 4);
const SELF: MemberRecord = {
  name: 'self',
  address: '10.0.0.1',
  port: 7946,
  meta: new Uint8Array(0),
  vsn: VSN,
  incarnation: 1,
  state: 'alive',
  sinceMs: 0,
};
const alive = (changes: Partial<Alive> = {}): Alive => ({
  ...aliveOf({ ...SELF, name: 'other', address: '10.0.0.2' }),
  ...changes,
});
const suspect = (incarnation: number, node = 'other', from = 'third') => ({ incarnation, node, from });
const RECLAIM_MS = 10_000;

describe('MemberTable', () => {
  let table: MemberTable;

  beforeEach(() => {
    table = new MemberTable(SELF, { deadReclaimMs: RECLAIM_MS, membersMax: 3 });
    table.alive(alive(), 0);
  });

  const other = () => table.get('other');

  it('alive() takes and tells a member when it is new', () => {
    const message = alive({ node: 'new', addr: '10.0.0.9' });
    const verdict = table.alive(message, 5);
    expect(verdict).toMatchObject({ rumour: { kind: 'alive', message }, change: { before: undefined } });
    expect(table.get('new')).toMatchObject({ state: 'alive', address: '10.0.0.9', incarnation: 1, sinceMs: 5 });
  });

  it('alive() changes nothing when the incarnation is not newer', () => {
    table.suspect(suspect(1), 10);
    expect(table.alive(alive(), 20)).toEqual({});
    expect(other()?.state).toBe('suspect');
  });

  it('alive() clears a suspicion when the member has refuted it', () => {
    table.suspect(suspect(1), 10);
    expect(table.alive(alive({ incarnation: 2 }), 20)).toMatchObject({ suspicion: 'clear', rumour: { kind: 'alive' } });
    expect(other()).toMatchObject({ state: 'alive', incarnation: 2, sinceMs: 20 });
  });

  it('alive() refuses another address when the member is alive, suspect or only just dead', () => {
    const moved = alive({ addr: '10.0.0.77', incarnation: 9 });
    expect(table.alive(moved, 1)).toEqual({ refused: 'conflict' });
    table.suspect(suspect(1), 2);
    expect(table.alive(moved, 3)).toEqual({ refused: 'conflict' });
    table.dead(suspect(1), 4);
    expect(table.alive(moved, 4 + RECLAIM_MS)).toEqual({ refused: 'conflict' });
    expect(other()?.address).toBe('10.0.0.2');
  });

  it('alive() takes another address, whatever the incarnation, when the member is dead for long or has left', () => {
    table.dead({ incarnation: 7, node: 'other', from: 'third' }, 0);
    table.alive(alive({ addr: '10.0.0.77' }), RECLAIM_MS + 1);
    expect(other()).toMatchObject({ state: 'alive', address: '10.0.0.77', incarnation: 1 });
    table.dead({ incarnation: 7, node: 'other', from: 'other' }, RECLAIM_MS + 2);
    expect(other()?.state).toBe('left');
    table.alive(alive({ port: 1 }), RECLAIM_MS + 2);
    expect(other()).toMatchObject({ state: 'alive', port: 1 });
  });

  it('alive() refuses when versions make no range, or the table is full', () => {
    expect(table.alive(alive({ incarnation: 2, vsn: Uint8Array.of(3, 2, 2) }), 1)).toEqual({ refused: 'incompatible' });
    table.alive(alive({ node: 'third' }), 1);
    expect(table.alive(alive({ node: 'fourth' }), 1)).toEqual({ refused: 'members_full' });
    expect(table.size).toBe(3);
  });

  it('suspect() starts a suspicion once, then asks for confirmation', () => {
    expect(table.suspect(suspect(1), 10)).toMatchObject({ suspicion: 'start', rumour: { kind: 'suspect' } });
    expect(table.suspect(suspect(1, 'other', 'fourth'), 11).suspicion).toBe('confirm');
    expect(table.suspect(suspect(0), 12)).toEqual({});
    expect(table.suspect(suspect(1, 'stranger'), 12)).toEqual({});
  });

  it('dead() marks a member dead, or left when it says so itself, and then changes nothing', () => {
    expect(table.dead(suspect(1), 10).change?.after.state).toBe('dead');
    expect(table.dead(suspect(5), 11)).toEqual({});
    expect(table.suspect(suspect(5), 11)).toEqual({});
    table.alive(alive({ node: 'leaver' }), 0);
    expect(table.dead(suspect(1, 'leaver', 'leaver'), 12).change?.after.state).toBe('left');
  });

  it.each(['suspect', 'dead'] as const)('%s() objects with a later incarnation when it is about us', (kind) => {
    const verdict = table[kind](suspect(41, 'self'), 10);
    expect(verdict).toMatchObject({
      isRefuted: true,
      rumour: { kind: 'alive', message: { node: 'self', incarnation: 42 } },
    });
    expect(table.self).toMatchObject({ state: 'alive', incarnation: 42 });
    expect(table[kind](suspect(41, 'self'), 11)).toEqual({});
  });

  it('alive() objects when others know a later us, or the same one with other facts', () => {
    const echo = aliveOf(SELF);
    expect(table.alive(echo, 1)).toEqual({});
    expect(table.alive({ ...echo, incarnation: 9 }, 1)).toMatchObject({ isRefuted: true });
    expect(table.self.incarnation).toBe(10);
    expect(table.alive({ ...echo, incarnation: 10, meta: Uint8Array.of(1) }, 1)).toMatchObject({ isRefuted: true });
    expect(table.alive({ ...echo, addr: '10.0.0.66', incarnation: 99 }, 1)).toEqual({ refused: 'conflict' });
  });

  it('leave() tells that we have left, and nothing calls us back', () => {
    expect(table.leave(5)).toMatchObject({ rumour: { kind: 'dead', message: { node: 'self', from: 'self' } } });
    expect(table.self.state).toBe('left');
    expect(table.alive({ ...aliveOf(SELF), incarnation: 50 }, 6)).toEqual({});
    expect(table.suspect(suspect(50, 'self'), 6)).toEqual({});
    expect(table.renew(Uint8Array.of(1), 7)).toEqual({});
    expect(table.self.state).toBe('left');
  });

  it('renew() tells other metadata with the next incarnation', () => {
    const meta = Uint8Array.of(255, 128);
    expect(table.renew(meta, 5)).toMatchObject({ rumour: { message: { incarnation: 2, meta } } });
    expect(table.self).toMatchObject({ incarnation: 2, meta, sinceMs: 0 });
  });

  it('forget() and settleLeft() touch only members that are gone', () => {
    table.forget('other');
    table.settleLeft('other');
    expect(other()?.state).toBe('alive');
    table.dead(suspect(1), 1);
    expect(table.settleLeft('other').change?.after.state).toBe('left');
    table.forget('other');
    table.forget('self');
    expect([...table.records()].map(({ name }) => name)).toEqual(['self']);
  });
});
