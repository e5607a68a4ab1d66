/** What neighbours in a swarm tell each other, and the asking for a writer. */
import type { Digest } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import { bytesIn, digestBytes, digestIn, flagIn, messagesIn, numberIn, textIn } from '../providers/wire-fields.ts';
import { readVouches, writeVouches } from './owner-messages.ts';
import type { Vouch } from './vouch-table.ts';
import type { CrowdAnswer } from './writer-book.ts';

/** Pieces on their way to one node in one swarm, as told to others. */
const ARRIVING_MAX = 64;

/** A piece whose bytes can be had as they come. */
export interface ArrivingPiece {
  readonly piece: number;
  /** Members between and one that has it; loops cannot form, because one takes only from a lesser depth. */
  readonly depth: number;
}

export interface NeighbourState {
  readonly have: Uint8Array;
  readonly arriving: readonly ArrivingPiece[];
  /** It has the whole, and its digest matched: it answers for every piece. */
  readonly isProven: boolean;
  /** Its containerd writes it: it answers for what has come. */
  readonly isWriting: boolean;
}

/** What one neighbour tells another: both ways alike. */
export interface NeighbourNews extends NeighbourState {
  /** Of pieces that it accepted since it told the last time. */
  readonly vouches: readonly Vouch[];
}

export interface ExchangeMessage extends NeighbourNews {
  readonly digest: Digest;
  readonly size: number;
}

export function writeExchange(from: string, message: ExchangeMessage): object {
  const { digest, size, ...news } = message;
  return { from, digest: digestBytes(digest), size, ...writeNews(news) };
}

/** @throws CodedError INVALID_ARGUMENT without a digest or a size */
export function readExchange(message: object): { from: string; exchange: ExchangeMessage } {
  const digest = digestIn(message, 'digest');
  const size = numberIn(message, 'size');
  if (digest === undefined || size === 0)
    throw new CodedError('INVALID_ARGUMENT', 'Exchange names no digest or no size');
  return { from: textIn(message, 'from'), exchange: { digest, size, ...readNews(message) } };
}

export function writeNews({ have, arriving, vouches, isProven, isWriting }: NeighbourNews): object {
  const some = arriving.slice(0, ARRIVING_MAX).map(({ piece, depth }) => ({ piece, depth }));
  return { have, arriving: some, vouches: writeVouches(vouches), proven: isProven, writing: isWriting };
}

export function readNews(message: object): NeighbourNews {
  const arriving = messagesIn(message, 'arriving', ARRIVING_MAX).map((one) => ({
    piece: numberIn(one, 'piece'),
    depth: numberIn(one, 'depth'),
  }));
  const isProven = flagIn(message, 'proven');
  const isWriting = flagIn(message, 'writing');
  return { have: bytesIn(message, 'have'), arriving, vouches: readVouches(message), isProven, isWriting };
}

export function writeNameWriter(from: string, digest: Digest): object {
  return { from, digest: digestBytes(digest) };
}

/** @throws CodedError INVALID_ARGUMENT without a digest */
export function readNameWriter(message: object): { from: string; digest: Digest } {
  const digest = digestIn(message, 'digest');
  if (digest === undefined) throw new CodedError('INVALID_ARGUMENT', 'Asking for a writer names no digest');
  return { from: textIn(message, 'from'), digest };
}

const ANSWERS = { claim: 0, writer: 1, nobody: 2 } as const;

export function writeNameWriterReply(answer: CrowdAnswer): object {
  return { answer: ANSWERS[answer] };
}

/** What it does not know it takes for `nobody`: containerd fetches by itself then. */
export function readNameWriterReply(message: object): CrowdAnswer {
  const wire = numberIn(message, 'answer');
  if (wire === ANSWERS.claim) return 'claim';
  return wire === ANSWERS.writer ? 'writer' : 'nobody';
}
