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
    isDisputed: false,
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
    const reply = record.coordinate('b', report([0, 1], { epoch: 4, leased: [2] }), view(100));
    expect(reply.epoch).toBe(5);
    expect(pieces(reply)).toEqual([]);
    expect(pieces(record.coordinate('a', report([], { epoch: 5 }), view(COLLECT_MS)))).toEqual([3]);
  });

  it('coordinate() leases nothing while holders of the whole give, and does when nobody gets on', () => {
    const record = create();
    const holders = { holders: ['seed'] };
    expect(pieces(record.coordinate('a', report([]), view(0, holders)))).toEqual([]);
    expect(record.coordinate('a', report([]), view(0, holders)).neighbours).toContain('seed');
    expect(pieces(record.coordinate('a', report([]), view(3_500, holders)))).toEqual([0]);
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

  it('coordinate() after a dispute has every piece fetched by another witness', () => {
    const record = create();
    const vouches = Array.from({ length: COUNT }, (_, piece) => ({ piece, sha256: `${piece}`, witness: 'a' }));
    record.coordinate('a', report([0, 1, 2, 3, 4, 5], { vouches, leasesWanted: 0 }), view(0));
    const disputed = record.coordinate('b', report([], { isDisputed: true, epoch: 1 }), view(1));
    expect(disputed).toMatchObject({ epoch: 2, isDisputed: true, vouches: [] });
    expect(pieces(disputed)).toEqual([0]);
    expect(pieces(record.coordinate('a', report([], { epoch: 2 }), view(2)))).toEqual([]);
    const again = [{ piece: 0, sha256: '0', witness: 'b' }];
    const reply = record.coordinate('b', report([], { epoch: 2, vouches: again }), view(3));
    expect(reply.vouches.map(({ piece }) => piece)).toEqual([0]);
  });

  it('coordinate() refuses a bitmap of another size', () => {
    expect(() => create().coordinate('a', report([], { have: new Uint8Array(9) }), view(0))).toThrow('bits');
  });
});
