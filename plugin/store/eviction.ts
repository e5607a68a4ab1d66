/** What eviction takes, and how much. Pure. */
import type { Digest } from '../../core/oci/digest.ts';
import type { StoreLimits } from './store.ts';

/** Something that nothing but the cache keeps: a whole blob, or a download that is not open. */
export interface EvictionCandidate {
  readonly kind: 'blob' | 'partial';
  readonly digest: Digest;
  readonly bytes: number;
  readonly usedAtMs: number;
}

/** Bytes that must go: down to the low watermark once above the high one, and whatever the file system is short of. */
export function bytesToEvict(
  state: { usedBytes: number; missingFreeBytes: number },
  limits: Pick<StoreLimits, 'capacityBytes' | 'highWatermark' | 'lowWatermark'>,
): number {
  const isAboveHigh = state.usedBytes > limits.capacityBytes * limits.highWatermark;
  const overBytes = isAboveHigh ? state.usedBytes - limits.capacityBytes * limits.lowWatermark : 0;
  return Math.max(0, overBytes, state.missingFreeBytes);
}

/** Least recently used first, until `bytes` are met or nothing is left. */
export function chooseVictims(candidates: Iterable<EvictionCandidate>, bytes: number): EvictionCandidate[] {
  if (bytes <= 0) return [];
  const victims: EvictionCandidate[] = [];
  let freed = 0;
  for (const candidate of [...candidates].sort((left, right) => left.usedAtMs - right.usedAtMs)) {
    if (freed >= bytes) break;
    victims.push(candidate);
    freed += candidate.bytes;
  }
  return victims;
}

/** False when a blob of that size could not stay in the cache at all. */
export function fitsCache(sizeBytes: number, limits: Pick<StoreLimits, 'capacityBytes' | 'highWatermark'>): boolean {
  return sizeBytes <= limits.capacityBytes * limits.highWatermark;
}
