import { describe, expect, it } from '@jest/globals';
import { SERF_MESSAGES as GOLDEN } from '../fixtures/goldens.ts';
import { Rumours } from '../gossip/rumours.ts';
import { silentMeshEvents } from '../fakes/silent-mesh-events.ts';
import type { MemberState } from '../members/member-record.ts';
import { SerfDelegate } from './serf-delegate.ts';
import {
  readJoin,
  readLeave,
  readSerfState,
  readTime,
  writeJoin,
  writeLeave,
  writeSerfState,
} from './serf-messages.ts';
import { decodeTags, encodeTags } from './tags.ts';

const bytesOf = (hex: string) => Buffer.from(hex, 'hex');

describe('serf messages', () => {
  it('are read and written as serf does', () => {
    expect(readJoin(bytesOf(GOLDEN.join))).toEqual({ lTime: 5, node: 'node-a' });
    expect(writeJoin({ lTime: 5, node: 'node-a' }).toString('hex')).toBe(GOLDEN.join);
    expect(readLeave(bytesOf(GOLDEN.leave))).toMatchObject({ lTime: 300, node: 'node-a' });
    expect(writeLeave({ lTime: 300, node: 'node-a' }).toString('hex')).toBe(GOLDEN.leave);
    expect(readTime(bytesOf(GOLDEN.userEvent))).toBe(2);
    const state = {
      lTime: 9,
      statusLTimes: new Map([['node-a', 7]]),
      leftMembers: ['node-b'],
      eventLTime: 2,
      queryLTime: 3,
    };
    expect(readSerfState(bytesOf(GOLDEN.pushPull))).toEqual({ ...state, events: null });
    expect(readSerfState(bytesOf(GOLDEN.pushPullNil))).toMatchObject({ lTime: 2 ** 40, leftMembers: [] });
    expect(readSerfState(writeSerfState(state))).toEqual({ ...state, events: null });
    const empty = { lTime: 1, statusLTimes: new Map(), leftMembers: [], eventLTime: 1, queryLTime: 1 };
    // serf sends its empty slots of events, we none.
    expect(writeSerfState(empty).toString('hex')).toBe(GOLDEN.pushPullEmpty.replace('93c0c0c0', '90'));
  });
});

describe('tags', () => {
  it('encodeTags() and decodeTags() agree with serf', () => {
    expect(Buffer.from(encodeTags(new Map([['role', 'web']]))).toString('hex')).toBe(GOLDEN.tags);
    expect([...decodeTags(bytesOf(GOLDEN.tags))]).toEqual([['role', 'web']]);
    expect([...decodeTags(Buffer.from('web'))]).toEqual([['role', 'web']]);
    expect([...decodeTags(Buffer.of(255, 0x81, 0xff))]).toEqual([]);
  });

  it('encodeTags() refuses when they take more than 512 bytes', () => {
    expect(() => encodeTags(new Map([['a', 'x'.repeat(600)]]))).toThrow('512');
  });
});

describe('SerfDelegate', () => {
  function world(members: Record<string, MemberState> = { self: 'alive', other: 'alive' }) {
    const rumours = new Rumours({ retransmitFactor: 1, countMembers: () => 2 });
    const left: string[] = [];
    const delegate = new SerfDelegate({
      selfName: 'self',
      rumours,
      events: silentMeshEvents,
      members: () => Object.entries(members).map(([name, state]) => ({ name, state })),
      onLeft: (name) => void left.push(name),
    });
    const told = () => rumours.take(1_400).map((message) => message.subarray(1).toString('hex'));
    return { delegate, left, told };
  }

  it('receive() passes intents, events and queries on once, and not when replayed', () => {
    const { delegate, left, told } = world();
    for (const golden of ['join', 'leave', 'userEvent'] as const) {
      delegate.receive(bytesOf(GOLDEN[golden]));
      expect(told()).toEqual([GOLDEN[golden]]);
      delegate.receive(bytesOf(GOLDEN[golden]));
      expect(told()).toEqual([]);
    }
    delegate.receive(bytesOf(GOLDEN.join));
    expect([told(), left]).toEqual([[], ['node-a']]);
  });

  it('receive() objects when others tell that we leave, and not while we do', () => {
    const { delegate, told } = world();
    delegate.receive(writeLeave({ lTime: 300, node: 'self' }));
    expect(told()).toEqual([writeJoin({ lTime: 301, node: 'self' }).toString('hex')]);
    delegate.announceLeave(() => undefined);
    told();
    const leave = writeLeave({ lTime: 900, node: 'self' });
    delegate.receive(leave);
    expect(told()).toEqual([leave.toString('hex')]);
  });

  it('local() tells the times of all members and who has left, ahead of all that was heard', () => {
    const { delegate } = world({ self: 'alive', 'node-a': 'left', other: 'dead' });
    delegate.receive(bytesOf(GOLDEN.leave));
    expect(readSerfState(Buffer.from(delegate.local()))).toMatchObject({
      lTime: 301,
      statusLTimes: new Map([
        ['self', 0],
        ['node-a', 300],
        ['other', 0],
      ]),
      leftMembers: ['node-a'],
    });
  });

  it('merge() takes who has left from another state, and counts one that is none', () => {
    const { delegate, left } = world();
    delegate.merge(bytesOf(GOLDEN.pushPull));
    expect(left).toEqual(['node-b']);
    delegate.merge(bytesOf(GOLDEN.pushPull));
    expect(left).toEqual(['node-b']);
    delegate.merge(bytesOf('02ff'));
    delegate.merge(bytesOf('63'));
  });

  it('changed() tells that a member has left when it died after saying that it would go, and not after it came back', () => {
    const { delegate, left } = world();
    const record = {
      name: 'node-a',
      address: '',
      port: 1,
      meta: new Uint8Array(0),
      vsn: new Uint8Array(0),
      incarnation: 1,
      sinceMs: 0,
    };
    const [alive, dead] = (['alive', 'dead'] as const).map((state) => ({ ...record, state }));
    delegate.receive(bytesOf(GOLDEN.leave));
    left.length = 0;
    if (alive === undefined || dead === undefined) throw new Error('no records');
    delegate.changed(alive, dead);
    expect(left).toEqual(['node-a']);
    delegate.changed(dead, alive);
    delegate.changed(alive, dead);
    expect(left).toEqual(['node-a']);
  });
});
