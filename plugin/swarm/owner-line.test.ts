import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { ManualClock } from '../content/fakes/manual-clock.ts';
import { ownersOf } from '../providers/rendezvous.ts';
import { OWNER_SILENT_MS, OwnerLine } from './owner-line.ts';
import { type MemberReport, type OwnerReply, writeOwnerReply } from './owner-messages.ts';

const DIGEST = digestOf('layer');
const REPLY: OwnerReply = {
  ...{ epoch: 1, leases: [], neighbours: [], vouches: [], vouchesSeen: 0, callInMs: 100, members: 2 },
  ...{ isDisputed: false, isVoteWanted: false, doubted: [], contested: [] },
};
const REPORT: MemberReport = {
  ...{ digest: DIGEST, size: 1, epoch: 0, have: new Uint8Array(1), canRead: true, leasesWanted: 0, leased: [] },
  ...{ returned: [], vouches: [], vouchesSeen: 0, wrongWholes: 0, isLeaving: false, stuck: [], isSlow: false },
};

type Answer = 'answers' | 'silent' | 'broken';

/** A node that asks the owners of a blob; each of the first one's answers is as told, in turn, and then it answers. */
function setUp(firstOnes: Answer[]) {
  const clock = new ManualClock();
  const all = ['a', 'b', 'c', 'd'].map((name) => ({ name, host: name, port: 1, zone: '', mode: 'full' as const }));
  const self = all.find(({ name }) => !ownersOf(DIGEST, all).some((owner) => owner.name === name))?.name ?? '';
  const [first = '', second = ''] = ownersOf(DIGEST, all).map(({ name }) => name);
  const asked: string[] = [];
  const silent: string[] = [];
  const line = new OwnerLine({
    ...{ self, digest: DIGEST, members: () => all, clock, random: () => 0.5, report: () => REPORT },
    calls: {
      async call({ name }, _method, _request, { deadlineMs }) {
        asked.push(name);
        const answer = name === first ? (firstOnes.shift() ?? 'answers') : 'answers';
        if (answer === 'silent') await clock.sleep(deadlineMs);
        if (answer !== 'answers') throw new CodedError('UNAVAILABLE', `"${name}" is ${answer}`);
        return writeOwnerReply(REPLY);
      },
    },
    events: {
      ...{ pieceEnded: () => undefined, peerFailed: () => undefined, banned: () => undefined },
      ...{ leaseReturned: () => undefined, wholeWasWrong: () => undefined, uploadRefused: () => undefined },
      ...{ rejected: () => undefined, retracted: () => undefined, disputed: () => undefined },
      ownerSilent: ({ owner }) => silent.push(owner),
    },
    desk: { coordinate: () => REPLY },
    onReply: () => undefined,
  });
  const runFor = async (ms: number) => {
    const over = new AbortController();
    const running = line.run(over.signal);
    await clock.advance(ms);
    over.abort(new Error('over'));
    await clock.advance(OWNER_SILENT_MS);
    await running;
  };
  return { line, first, second, asked, silent, runFor };
}

describe('OwnerLine', () => {
  it('asks an owner once more that was silent, before the next one', async () => {
    const { line, first, asked, silent, runFor } = setUp(['silent']);
    await runFor(OWNER_SILENT_MS + 50);
    expect(asked).toEqual([first, first]);
    expect([line.owner, silent]).toEqual([first, []]);
  });

  it('passes over one that is silent twice, and for a while', async () => {
    const { line, first, second, asked, silent, runFor } = setUp(['silent', 'silent']);
    await runFor(2 * OWNER_SILENT_MS + 1_000);
    expect(asked.slice(0, 3)).toEqual([first, first, second]);
    expect(asked.slice(3)).not.toContain(first);
    expect([line.owner, silent]).toEqual([second, [first]]);
  });

  it('passes over at once one whose connection breaks', async () => {
    const { line, first, second, asked, runFor } = setUp(['broken']);
    await runFor(50);
    expect(asked).toEqual([first, second]);
    expect(line.owner).toBe(second);
  });
});
