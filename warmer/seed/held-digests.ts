/** Which of many digests a node has: a bit each, as the node answers, so that thousands of nodes fit in memory. Pure. */
import type { Digest } from '../../core/oci/digest.ts';

/** @param bits the first digest in the highest bit of the first byte */
export function heldDigests(digests: readonly Digest[], bits: Uint8Array): Iterable<Digest> {
  return {
    *[Symbol.iterator]() {
      for (const [byteIndex, byte] of bits.entries()) {
        for (let bit = 0; byte !== 0 && bit < 8; bit += 1) {
          const digest = (byte & (0x80 >> bit)) === 0 ? undefined : digests[byteIndex * 8 + bit];
          if (digest !== undefined) yield digest;
        }
      }
    },
  };
}

/** All of them, one after the other. */
export function joined(parts: readonly Iterable<Digest>[]): Iterable<Digest> {
  return {
    *[Symbol.iterator]() {
      for (const part of parts) yield* part;
    },
  };
}
