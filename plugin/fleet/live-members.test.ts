import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../content/fakes/manual-clock.ts';
import type { Member } from '../mesh/mesh.ts';
import { followMembers } from './live-members.ts';

function member(name: string, more: Partial<Member> = {}): Member {
  const node = { zone: 'z', peerPort: 7000, version: '1', mode: 'full' as const };
  const base = {
    name,
    address: '10.0.0.1',
    port: 7946,
    state: 'alive' as const,
    incarnation: 1,
    tags: new Map(),
    node,
  };
  return { ...base, ...more };
}

function setUp(...first: Member[]) {
  const clock = new ManualClock();
  let list = first;
  const listeners = new Set<() => void>();
  let changes = 0;
  const following = followMembers({
    mesh: {
      members: () => list,
      onChange: (listener) => {
        const tell = () => listener({ before: undefined, after: member('any') });
        listeners.add(tell);
        return () => listeners.delete(tell);
      },
    },
    sleep: (ms) => clock.sleep(ms),
    onChange: () => {
      changes += 1;
    },
  });
  const change = (...next: Member[]) => {
    list = next;
    for (const tell of listeners) tell();
  };
  return { ...following, clock, change, changes: () => changes };
}

const names = (members: readonly { name: string }[]) => members.map(({ name }) => name);

describe('followMembers()', () => {
  it('gives live members that speak our protocols, by name, a suspect among them', () => {
    const { members } = setUp(
      member('b', { state: 'suspect' }),
      member('dead', { state: 'dead' }),
      member('left', { state: 'left' }),
      member('serf', { node: undefined }),
      member('a'),
    );
    expect(names(members())).toEqual(['a', 'b']);
    expect(members()[0]).toEqual({ name: 'a', host: '10.0.0.1', port: 7000, zone: 'z', mode: 'full' });
  });

  it('gathers changes before it tells of them', async () => {
    const { members, clock, change, changes } = setUp(member('a'));
    change(member('a'), member('b'));
    change(member('a'), member('b'), member('c'));
    expect([names(members()), changes()]).toEqual([['a'], 0]);
    await clock.advance(100);
    expect([names(members()), changes()]).toEqual([['a', 'b', 'c'], 1]);
  });

  it('keeps the same list when nothing changed that others see', async () => {
    const { members, clock, change, changes } = setUp(member('a'));
    const before = members();
    change(member('a', { incarnation: 9, state: 'suspect' }));
    await clock.advance(100);
    expect(changes()).toBe(0);
    expect(members()).toBe(before);
    change(member('a', { address: '10.0.0.2' }));
    await clock.advance(100);
    expect([members()[0]?.host, changes()]).toEqual(['10.0.0.2', 1]);
  });

  it('stop() ends the listening', async () => {
    const { members, stop, clock, change } = setUp(member('a'));
    stop();
    change(member('b'));
    await clock.advance(100);
    expect(names(members())).toEqual(['a']);
  });
});
