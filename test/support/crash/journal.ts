/**
 * What a worker tells before and after it asks the store for something, one JSON line each, written at once. A line with
 * `did` is a promise that the store has given; one with `will` says that what was so far may now be otherwise.
 */
import { createHash } from 'node:crypto';
import { type Digest, digestOf } from '../../../core/oci/digest.ts';

export type JournalLine =
  | { did: 'ready' }
  | { did: 'commit'; id: string; size: number; holds: readonly string[] }
  | { will: 'hold'; digest: Digest }
  | { did: 'hold'; digest: Digest }
  | { will: 'release'; digest: Digest; keep: boolean }
  | { did: 'release'; digest: Digest }
  | { did: 'close-ingest'; ref: string; id: string; size: number; offset: number }
  | { will: 'use-ingest'; ref: string }
  | { did: 'close-partial'; id: string; size: number; bytes: number }
  | { will: 'use-partial'; id: string }
  | { did: 'claim'; digest: Digest; size: number }
  | { will: 'unclaim'; digest: Digest }
  | { did: 'unclaim'; digest: Digest }
  | { will: 'pin'; name: string }
  | { did: 'pin'; name: string; digests: readonly Digest[]; untilMs: number }
  | { will: 'unpin'; name: string }
  | { did: 'unpin'; name: string };

/** The bytes that a name stands for: both sides make them, so that no bytes need to be told. */
export function bytesOf(id: string, size: number): Buffer {
  return createHash('shake256', { outputLength: Math.max(1, size) })
    .update(id)
    .digest()
    .subarray(0, size);
}

export function blobOf(id: string, size: number): { bytes: Buffer; digest: Digest } {
  const bytes = bytesOf(id, size);
  return { bytes, digest: digestOf(bytes) };
}

/** A small seeded generator (mulberry32): numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The store's settings on both sides: a cache so small that eviction never rests. */
export const CRASH_LIMITS = { capacityBytes: 512 * 1024, highWatermark: 0.9, lowWatermark: 0.5, minFreeBytes: 0 };
