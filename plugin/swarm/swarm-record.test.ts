import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../core/oci/digest.ts';
import type { MemberReport } from './owner-messages.ts';
import { PieceSet } from './piece-set.ts';
import { COLLECT_MS, SwarmRecord } from './swarm-record.ts';

const COUNT = 6;
const plan = { sizeBytes: 600, pieceSizeBytes: 100, count: COUNT };

function report(pieces: readonly number[], more: Partial<MemberReport> = {}): MemberReport {
  const have = new PieceSet(COUNT);
  for (const piece of pieces) have.add(piece);
  return {
    digest: digestOf('x'),
    size: 600,
    epoch: 0,
    have: have.bytes(),
    canRead: true,
    leasesWanted: 1,
    leased: [],
    returned: [],
    vouches: [],
    vouchesSeen: 0,
    wrongWholes: 0,
    isLeaving: false,
    stuck: [],
    isSlow: false,
    ...more,
  };
}

const view = (nowMs: number, more = {}) => ({ nowMs, holders: [], writers: [], ...more });
const create = () => new SwarmRecord(plan, { random: () => 0.4, nowMs: 0 });
const pieces = (reply: { leases: readonly { piece: number }[] }) => reply.leases.map(({ piece }) => piece);

describe('SwarmRecord', () => {
  it('coordinate() leases no piece that some member holds', () => {
    const record = create();
    record.coordinate('a', report([0, 1, 2, 3, 4], { leasesWanted: 0 }), view(0));
    expect(pieces(record.coordinate('b', report([]), view(1)))).toEqual([5]);
  });

  it('coordinate() as a new owner collects before it leases, then knows what is there', () => {
    const record = create();
    expect(pieces(record.coordinate('a', report([], { epoch: 4 }), view(0)))).toEqual([]);
    const reply = record.coordinate('b', report([0, 1], { epoch: 4, leased: [{ piece: 2, percent: 0 }] }), view(100));
    expect(reply.epoch).toBe(5);
    expect(pieces(reply)).toEqual([]);
    expect(pieces(record.coordinate('a', report([], { epoch: 5 }), view(COLLECT_MS)))).toEqual([3]);
  });

  it('coordinate() leases nothing while holders of the whole give, and does when nobody gets on', () => {
    const record = create();
    const holders = { holders: ['seed'] };
    expect(pieces(record.coordinate('a', report([]), view(0, holders)))).toEqual([]);
    expect(record.coordinate('a', report([]), view(0, holders)).neighbours).toContain('seed');
    expect(pieces(record.coordinate('a', report([]), view(3_000, holders)))).toEqual([]);
    expect(pieces(record.coordinate('a', report([], { stuck: [2] }), view(4_500, holders)))).toEqual([2]);
    expect(pieces(record.coordinate('b', report([]), view(31_000, holders)))).toEqual([0]);
  });

  it('coordinate() names a holder that a fetch contradicts as contested, for some seconds at most', () => {
    const record = create();
    const hearsay = { piece: 0, sha256: '00', witness: 'seed' };
    const own = { piece: 0, sha256: '11', witness: 'a' };
    const holders = { holders: ['seed'] };
    const asked = (nowMs: number, vouches = [hearsay]) =>
      record.coordinate('a', report([], { vouches, leasesWanted: 0 }), view(nowMs, holders)).contested;
    expect(asked(0)).toEqual([]);
    expect(asked(1_000, [own])).toEqual(['seed']);
    expect(asked(5_900)).toEqual(['seed']);
    expect(asked(6_000)).toEqual([]);
  });

  it('coordinate() has a crowd compare a holder by pieces from the source, each fetched by another one', () => {
    const count = 64;
    const record = new SwarmRecord({ sizeBytes: 6_400, pieceSizeBytes: 100, count }, { random: () => 0.4, nowMs: 0 });
    const have = new PieceSet(count).bytes();
    const asked = (name: string, more: Partial<MemberReport> = {}) =>
      record.coordinate(
        name,
        report([], { size: 6_400, have, leasesWanted: 0, ...more }),
        view(10, { holders: ['seed'] }),
      );
    const given = { vouches: [{ piece: 7, sha256: '00', witness: 'seed' }] };
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) expect(asked(name, given).leases).toEqual([]);
    // The eighth makes it a crowd.
    expect(asked('h').leases).toMatchObject([{ piece: 7, isForVote: true }]);
    expect(asked('a').leases).toEqual([]);
    const other = { vouches: [{ piece: 7, sha256: '11', witness: 'h' }] };
    expect(asked('h', other)).toMatchObject({ leases: [], contested: ['seed'], isVoteWanted: true });
    expect(asked('a').leases).toMatchObject([{ piece: 7, isForVote: true }]);
    const same = { vouches: [{ piece: 7, sha256: '11', witness: 'a' }] };
    expect(asked('a', same)).toMatchObject({ contested: [], doubted: ['seed'], isDisputed: true });
  });

  it('coordinate() gives a crowd one piece from the source although a holder has it, and a few members none', () => {
    const count = 64;
    const granted = (members: number) => {
      const record = new SwarmRecord({ sizeBytes: 6_400, pieceSizeBytes: 100, count }, { random: () => 0.4, nowMs: 0 });
      const ask = (at: number) => {
        const asked = report([], { size: 6_400, have: new PieceSet(count).bytes() });
        return record.coordinate(`member ${at}`, asked, view(10, { holders: ['seed'] })).leases.length;
      };
      return Array.from({ length: members }, (_, at) => ask(at)).reduce((sum, one) => sum + one, 0);
    };
    expect([granted(7), granted(12)]).toEqual([0, 1]);
  });

  it('coordinate() leases from the end while a Write brings the beginning', () => {
    expect(pieces(create().coordinate('a', report([]), view(0, { writers: ['w'] })))).toEqual([5]);
  });

  it('coordinate() gives a piece back to the others when its holder is refused or leaves', () => {
    const record = create();
    expect(pieces(record.coordinate('a', report([]), view(0)))).toEqual([0]);
    record.coordinate('b', report([], { leasesWanted: 0 }), view(1));
    const returned = [{ piece: 0, reason: 'refused' as const }];
    expect(pieces(record.coordinate('a', report([], { returned }), view(2)))).toEqual([]);
    expect(pieces(record.coordinate('b', report([]), view(3)))).toEqual([0]);
    record.coordinate('b', report([], { isLeaving: true }), view(4));
    expect(record.memberCount).toBe(1);
  });

  it('coordinate() leaves silent members out, and what only they had is leased again', () => {
    const record = create();
    record.coordinate('a', report([0, 1, 2, 3, 4, 5], { leasesWanted: 0 }), view(0));
    expect(pieces(record.coordinate('b', report([]), view(1_000)))).toEqual([]);
    expect(pieces(record.coordinate('b', report([]), view(5_000)))).toEqual([0]);
  });

  it('coordinate() after a wrong whole has one piece of each witness compared, then what the refuted one vouched for', () => {
    const record = create();
    const by = (witness: string, of: readonly number[]) => of.map((piece) => ({ piece, sha256: `${piece}`, witness }));
    const all = [0, 1, 2, 3, 4, 5];
    record.coordinate('a', report(all, { vouches: by('a', [0, 2, 4]), leasesWanted: 0 }), view(0));
    record.coordinate('b', report(all, { vouches: by('b', [1, 3, 5]), leasesWanted: 0 }), view(0));
    const disputed = record.coordinate('c', report(all, { wrongWholes: 1, epoch: 1, leasesWanted: 4 }), view(1));
    expect(disputed).toMatchObject({ epoch: 2, isDisputed: true, vouches: [] });
    expect(pieces(disputed)).toEqual([0]);
    expect(pieces(record.coordinate('a', report(all, { epoch: 2 }), view(2)))).toEqual([1]);
    const truth = [{ piece: 0, sha256: 'true', witness: 'c' }];
    // One against one convicts nobody.
    record.coordinate('c', report(all, { epoch: 2, vouches: truth, leasesWanted: 0 }), view(3));
    expect(record.coordinate('d', report(all, { epoch: 2, leasesWanted: 0 }), view(4)).doubted).toEqual([]);
    expect(pieces(record.coordinate('d', report(all, { epoch: 2 }), view(4)))).toEqual([0]);
    const again = [{ piece: 0, sha256: 'true', witness: 'd' }];
    const reply = record.coordinate('d', report(all, { epoch: 2, vouches: again }), view(5));
    expect(reply).toMatchObject({ doubted: ['a'], vouches: [0, 1, 3, 5].map((piece) => ({ piece })) });
    expect(pieces(reply)).toEqual([2]);
  });

  it('coordinate() leaves a holder out that was refuted', () => {
    const record = create();
    const holders = { holders: ['liar'] };
    const vouches = [0, 1, 2, 3, 4, 5].map((piece) => ({ piece, sha256: 'wrong', witness: 'liar' }));
    record.coordinate('a', report([0, 1, 2, 3, 4, 5], { vouches, leasesWanted: 0 }), view(0, holders));
    const wrong = { wrongWholes: 1, epoch: 1 };
    expect(pieces(record.coordinate('a', report([], wrong), view(1, holders)))).toEqual([0]);
    const truth = [{ piece: 0, sha256: 'true', witness: 'a' }];
    const reply = record.coordinate('a', report([0], { ...wrong, epoch: 2, vouches: truth }), view(2, holders));
    expect(reply.neighbours).toEqual([]);
    expect(reply.vouches).toMatchObject([{ piece: 0, sha256: 'true', witness: 'a' }]);
    expect(pieces(reply)).toEqual([1]);
  });

  it('coordinate() asks for a vote where a holder contradicts a fetch, and tells whom the vote refutes', () => {
    const record = create();
    const holders = { holders: ['liar'] };
    const told = (name: string, piece: number, sha256: string, witness: string) =>
      record.coordinate(name, report([piece], { vouches: [{ piece, sha256, witness }] }), view(1, holders));
    expect(told('a', 0, 'true', 'a')).toMatchObject({ isVoteWanted: false, isDisputed: false });
    const tie = told('b', 0, 'wrong', 'liar');
    expect(tie).toMatchObject({ isVoteWanted: true, isDisputed: false, doubted: [], leases: [{ piece: 0 }] });
    const settled = told('b', 0, 'true', 'b');
    expect(settled).toMatchObject({ isVoteWanted: false, isDisputed: true, doubted: ['liar'], epoch: 2 });
  });

  it('coordinate() takes one member alone for broken, however many wholes of it were wrong', () => {
    const record = create();
    record.coordinate('a', report([], { leasesWanted: 0 }), view(0));
    const epochs = [1, 2, 9].map((wrongWholes) => record.coordinate('b', report([], { wrongWholes }), view(1)).epoch);
    expect(epochs).toEqual([2, 2, 2]);
    expect(record.coordinate('a', report([], { wrongWholes: 2 }), view(2)).epoch).toBe(3);
    expect(record.coordinate('a', report([], { wrongWholes: 9 }), view(3)).epoch).toBe(4);
    expect(record.coordinate('a', report([], { wrongWholes: 99 }), view(4)).epoch).toBe(4);
  });

  it('coordinate() refuses a bitmap of another size', () => {
    expect(() => create().coordinate('a', report([], { have: new Uint8Array(9) }), view(0))).toThrow('bits');
  });
});
