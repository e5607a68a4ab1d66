/** Joining waiting writes into one: what is absent yet, adjacent, and at most one large step. Pure. */
import type { ByteRanges } from './byte-ranges.ts';

/** Bytes written in one call: larger steps gain nothing and keep a pool thread from others. */
export const BATCH_BYTES_MAX = 1024 * 1024;
/** Buffers in one call; Linux takes 1024. */
export const BATCH_BUFFERS_MAX = 256;

/** A write that waits; `at` moves from its start to its end as its bytes are taken. */
export interface WaitingWrite {
  readonly start: number;
  readonly bytes: Uint8Array;
  at: number;
}

export interface WriteBatch<T extends WaitingWrite> {
  readonly offset: number;
  readonly buffers: Uint8Array[];
  readonly byteCount: number;
  /** Writes of which some bytes are in the batch, or which had nothing left to write. */
  readonly touched: readonly T[];
  /** How many writes, from the first, are done when the batch is. */
  readonly doneCount: number;
}

/**
 * Takes the next batch from the head of `waiting`. Bytes that are `present` already are passed over: the first bytes
 * written at an offset stay, since they are the ones that were hashed.
 */
export function takeBatch<T extends WaitingWrite>(waiting: readonly T[], present: ByteRanges): WriteBatch<T> {
  const batch = { offset: -1, buffers: [] as Uint8Array[], byteCount: 0, touched: [] as T[], doneCount: 0 };
  for (const write of waiting) {
    const isDone = takeFrom(write, present, batch);
    if (isDone || batch.byteCount > 0) batch.touched.push(write);
    if (!isDone) break;
    batch.doneCount += 1;
  }
  return batch;
}

interface GrowingBatch {
  offset: number;
  buffers: Uint8Array[];
  byteCount: number;
}

/** True when nothing of `write` is left for later batches. */
function takeFrom(write: WaitingWrite, present: ByteRanges, batch: GrowingBatch): boolean {
  const end = write.start + write.bytes.length;
  for (;;) {
    const gap = present.firstGap(write.at, end);
    if (gap === undefined) return true;
    if (batch.byteCount > 0 && gap.start !== batch.offset + batch.byteCount) return false;
    const room = BATCH_BYTES_MAX - batch.byteCount;
    if (room === 0 || batch.buffers.length === BATCH_BUFFERS_MAX) return false;
    const length = Math.min(room, gap.end - gap.start);
    if (batch.byteCount === 0) batch.offset = gap.start;
    batch.buffers.push(write.bytes.subarray(gap.start - write.start, gap.start - write.start + length));
    batch.byteCount += length;
    write.at = gap.start + length;
  }
}
