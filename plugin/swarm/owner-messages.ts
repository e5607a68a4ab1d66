/** Messages between a swarm's members and the blob's owner: typed values inside, plain objects for the wire. */
import type { Digest } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import {
  bytesIn,
  digestBytes,
  digestIn,
  flagIn,
  messagesIn,
  numberIn,
  numbersIn,
  textIn,
  textsIn,
} from '../providers/wire-fields.ts';
import type { Vouch } from './vouch-table.ts';

/** Leases named in one message. */
const LEASES_MAX = 64;
/** Pieces named as stuck in one message. */
export const STUCK_MAX = 16;
/** Vouches in one message; more follow with the next. */
export const VOUCHES_MAX = 2_048;
/** Neighbours told at once. */
const NEIGHBOURS_MAX = 32;
/** Doubted, or contested, members told at once. */
const DOUBTED_MAX = 64;
const SHA256_BYTES = 32;
const NAME_LENGTH_MAX = 256;

const REASONS = { unwanted: 0, refused: 1, later: 2 } as const;
export type ReturnReason = keyof typeof REASONS;

export interface ReturnedLease {
  readonly piece: number;
  readonly reason: ReturnReason;
}

/** A piece that is being fetched from the source, and how much of it is here. */
export interface LeasedPiece {
  readonly piece: number;
  readonly percent: number;
}

/** What a member of a swarm tells the owner. */
export interface MemberReport {
  readonly digest: Digest;
  readonly size: number;
  readonly epoch: number;
  readonly have: Uint8Array;
  readonly canRead: boolean;
  readonly leasesWanted: number;
  readonly leased: readonly LeasedPiece[];
  readonly returned: readonly ReturnedLease[];
  readonly vouches: readonly Vouch[];
  readonly vouchesSeen: number;
  /** Wholes of these pieces that were not the digest. */
  readonly wrongWholes: number;
  readonly isLeaving: boolean;
  /** Pieces that somebody is said to have, but nobody gives. */
  readonly stuck: readonly number[];
  /** A piece takes long on this member's line: others had better fetch. */
  readonly isSlow: boolean;
}

/** A piece to be fetched from the source, or one that may go on for longer. */
export interface ReplyLease {
  readonly piece: number;
  readonly endsInMs: number;
  /** To compare what a member said with: of use though the piece is here already, or comes from others. */
  readonly isForVote: boolean;
}

/** What the owner answers. */
export interface OwnerReply {
  readonly epoch: number;
  readonly leases: readonly ReplyLease[];
  readonly neighbours: readonly string[];
  readonly vouches: readonly Vouch[];
  readonly vouchesSeen: number;
  readonly callInMs: number;
  readonly members: number;
  readonly isDisputed: boolean;
  /** Somebody has to fetch a piece from the source although others have it. */
  readonly isVoteWanted: boolean;
  /** What they said of pieces was refuted: a hint, for this blob alone. */
  readonly doubted: readonly string[];
  /** Holders that a member's fetch contradicts, for as long as that is not settled: others are asked meanwhile. */
  readonly contested: readonly string[];
}

export function writeReport(from: string, report: MemberReport): object {
  return {
    from,
    digest: digestBytes(report.digest),
    size: report.size,
    epoch: report.epoch,
    have: report.have,
    canRead: report.canRead,
    leasesWanted: report.leasesWanted,
    leased: report.leased.map(({ piece }) => piece),
    leasedPercent: report.leased.map(({ percent }) => percent),
    returned: report.returned.map(({ piece, reason }) => ({ piece, reason: REASONS[reason] })),
    vouches: writeVouches(report.vouches),
    vouchesSeen: report.vouchesSeen,
    wrongWholes: report.wrongWholes,
    leaving: report.isLeaving,
    stuck: report.stuck.slice(0, STUCK_MAX),
    slow: report.isSlow,
  };
}

/** @throws CodedError INVALID_ARGUMENT without a digest or a size */
export function readReport(message: object): { from: string; report: MemberReport } {
  const digest = digestIn(message, 'digest');
  const size = numberIn(message, 'size');
  if (digest === undefined || size === 0) throw new CodedError('INVALID_ARGUMENT', 'Report names no digest or no size');
  const percents = numbersIn(message, 'leasedPercent', LEASES_MAX);
  const report: MemberReport = {
    digest,
    size,
    epoch: numberIn(message, 'epoch'),
    have: bytesIn(message, 'have'),
    canRead: flagIn(message, 'canRead'),
    leasesWanted: numberIn(message, 'leasesWanted'),
    leased: numbersIn(message, 'leased', LEASES_MAX).map((piece, at) => ({ piece, percent: percents[at] ?? 0 })),
    returned: messagesIn(message, 'returned', LEASES_MAX).map((one) => ({
      piece: numberIn(one, 'piece'),
      reason: reasonOf(numberIn(one, 'reason')),
    })),
    vouches: readVouches(message),
    vouchesSeen: numberIn(message, 'vouchesSeen'),
    wrongWholes: numberIn(message, 'wrongWholes'),
    isLeaving: flagIn(message, 'leaving'),
    stuck: numbersIn(message, 'stuck', STUCK_MAX),
    isSlow: flagIn(message, 'slow'),
  };
  return { from: textIn(message, 'from'), report };
}

export function writeOwnerReply(reply: OwnerReply): object {
  return {
    epoch: reply.epoch,
    leases: reply.leases.map(({ piece, endsInMs, isForVote }) => ({ piece, endsInMs, forVote: isForVote })),
    neighbours: [...reply.neighbours],
    vouches: writeVouches(reply.vouches),
    vouchesSeen: reply.vouchesSeen,
    callInMs: reply.callInMs,
    members: reply.members,
    disputed: reply.isDisputed,
    voteWanted: reply.isVoteWanted,
    doubted: reply.doubted.slice(0, DOUBTED_MAX),
    contested: reply.contested.slice(0, DOUBTED_MAX),
  };
}

export function readOwnerReply(message: object): OwnerReply {
  return {
    epoch: numberIn(message, 'epoch'),
    leases: messagesIn(message, 'leases', LEASES_MAX).map((lease) => ({
      piece: numberIn(lease, 'piece'),
      endsInMs: numberIn(lease, 'endsInMs'),
      isForVote: flagIn(lease, 'forVote'),
    })),
    neighbours: textsIn(message, 'neighbours', NEIGHBOURS_MAX),
    vouches: readVouches(message),
    vouchesSeen: numberIn(message, 'vouchesSeen'),
    callInMs: numberIn(message, 'callInMs'),
    members: numberIn(message, 'members'),
    isDisputed: flagIn(message, 'disputed'),
    isVoteWanted: flagIn(message, 'voteWanted'),
    doubted: textsIn(message, 'doubted', DOUBTED_MAX),
    contested: textsIn(message, 'contested', DOUBTED_MAX),
  };
}

export function writeVouches(vouches: readonly Vouch[]): object[] {
  return vouches.slice(0, VOUCHES_MAX).map(({ piece, sha256, witness, isContested = false }) => ({
    piece,
    sha256: Buffer.from(sha256, 'hex'),
    witness,
    contested: isContested,
  }));
}

export function readVouches(message: object): Vouch[] {
  return messagesIn(message, 'vouches', VOUCHES_MAX).flatMap((vouch) => {
    const sha256 = bytesIn(vouch, 'sha256');
    const witness = textIn(vouch, 'witness');
    if (sha256.length !== SHA256_BYTES || witness === '' || witness.length > NAME_LENGTH_MAX) return [];
    const isContested = flagIn(vouch, 'contested');
    return [{ piece: numberIn(vouch, 'piece'), sha256: Buffer.from(sha256).toString('hex'), witness, isContested }];
  });
}

function reasonOf(wire: number): ReturnReason {
  if (wire === REASONS.refused) return 'refused';
  return wire === REASONS.later ? 'later' : 'unwanted';
}
