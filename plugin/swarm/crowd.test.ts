import { describe, expect, it } from '@jest/globals';
import { type Digest, digestOf } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { ManualClock, settle } from '../content/fakes/manual-clock.ts';
import { ownersOf } from '../providers/rendezvous.ts';
import { Crowd } from './crowd.ts';
import { writeNameWriterReply } from './neighbour-messages.ts';
import type { CrowdAnswer } from './writer-book.ts';

const DIGEST = digestOf('cold');

/** One node in a crowd whose owners answer what they are told to. */
function setUp(options: { isOwner?: boolean } = {}) {
  const clock = new ManualClock();
  const members = ['a', 'b', 'c', 'd', 'e'].map((name) => ({
    ...{ name, host: name, port: 1, zone: '' },
    mode: 'full' as const,
  }));
  const owners = ownersOf(DIGEST, members).map(({ name }) => name);
  const others = members.map(({ name }) => name).filter((name) => !owners.includes(name));
  const self = (options.isOwner ? owners[0] : others[0]) ?? '';
  const answers = new Map<string, CrowdAnswer | 'silent'>(owners.map((name) => [name, 'claim']));
  const asked: string[] = [];
  const answerOf = (name: string): CrowdAnswer => {
    asked.push(name);
    const answer = answers.get(name) ?? 'silent';
    if (answer === 'silent') throw new CodedError('UNAVAILABLE', `"${name}" does not answer`);
    return answer;
  };
  let silent = 0;
  const crowd = new Crowd({
    self,
    members: () => members,
    clock,
    calls: { call: async ({ name }) => writeNameWriterReply(answerOf(name)) },
    events: {
      ...{ pieceEnded: () => undefined, peerFailed: () => undefined, banned: () => undefined },
      ...{ leaseReturned: () => undefined, wholeWasWrong: () => undefined, uploadRefused: () => undefined },
      ...{ rejected: () => undefined, retracted: () => undefined, disputed: () => undefined },
      ownerSilent: () => {
        silent += 1;
      },
    },
    desk: { nameWriter: ({ name }) => answerOf(name) },
  });
  const ask = async (digest: Digest = DIGEST) => {
    crowd.ask(digest);
    await crowd.settled(digest);
  };
  return { crowd, clock, owners, self, answers, asked, ask, silent: () => silent };
}

describe('Crowd', () => {
  it('word() is what the first owner said, until it is too old', async () => {
    const { crowd, clock, owners, answers, asked, ask } = setUp();
    answers.set(owners[0] ?? '', 'writer');
    expect(crowd.word(DIGEST)).toBeUndefined();
    crowd.ask(DIGEST);
    expect(crowd.word(DIGEST)).toBe('asking');
    await ask();
    expect(crowd.word(DIGEST)).toBe('writer');
    expect(asked).toEqual([owners[0]]);
    await clock.advance(14_900);
    expect(crowd.word(DIGEST)).toBe('writer');
    await clock.advance(200);
    expect(crowd.word(DIGEST)).toBeUndefined();
  });

  it('ask() passes over owners that do not answer', async () => {
    const { crowd, owners, answers, asked, ask, silent } = setUp();
    answers.set(owners[0] ?? '', 'silent');
    answers.set(owners[1] ?? '', 'nobody');
    await ask();
    expect([crowd.word(DIGEST), asked, silent()]).toEqual(['nobody', owners.slice(0, 2), 1]);
  });

  it('ask() leaves no word when no owner answers, not even the last one', async () => {
    const { crowd, clock, owners, answers, ask } = setUp();
    await ask();
    expect(crowd.word(DIGEST)).toBe('claim');
    for (const owner of owners) answers.set(owner, 'silent');
    await clock.advance(3_000);
    await ask();
    expect(crowd.word(DIGEST)).toBeUndefined();
  });

  it('ask() does not ask again what it just heard, and asks again later', async () => {
    const { clock, asked, ask } = setUp();
    await ask();
    await ask();
    expect(asked).toHaveLength(1);
    await clock.advance(3_000);
    await ask();
    expect(asked).toHaveLength(2);
  });

  it('ask() as an owner needs no call', async () => {
    const { crowd, self, asked, ask } = setUp({ isOwner: true });
    await ask();
    expect([crowd.word(DIGEST), asked]).toEqual(['claim', [self]]);
  });

  it('refresh() asks about what was asked before, and nothing else; forget() ends that', async () => {
    const { crowd, clock, asked, ask } = setUp();
    crowd.refresh(DIGEST);
    await settle();
    expect(asked).toEqual([]);
    await ask();
    await clock.advance(3_000);
    crowd.refresh(DIGEST);
    await crowd.settled(DIGEST);
    expect(asked).toHaveLength(2);
    crowd.forget(DIGEST);
    expect(crowd.word(DIGEST)).toBeUndefined();
    crowd.refresh(DIGEST);
    expect(asked).toHaveLength(2);
  });

  it('ask() keeps answers about so many blobs and no more', async () => {
    const { crowd, ask } = setUp();
    await ask();
    for (let at = 0; at < 4_096; at += 1) await ask(digestOf(`${at}`));
    expect(crowd.word(DIGEST)).toBeUndefined();
    expect(crowd.word(digestOf('4095'))).toBeDefined();
  });

  it('stop() ends the asking', async () => {
    const { crowd, asked, ask } = setUp();
    crowd.stop();
    await ask();
    expect(asked).toEqual([]);
  });
});
