/** Blobs and claims in memory, as far as the claim rules look at them. */
import { type Digest, digestOf } from '../../../../core/oci/digest.ts';
import { CodedError } from '../../../../core/runtime/errors.ts';
import type { BlobHolder, BlobReader, BlobStat, Hold, OpenBytes } from '../../../store/blob-store.ts';
import type { Claim, ClaimStore } from '../../../store/claim-store.ts';

export class FakeClaimStore implements ClaimStore, Pick<BlobReader, 'stat' | 'open'>, Pick<BlobHolder, 'hold'> {
  readonly blobs = new Map<Digest, { bytes: Uint8Array; holds: Set<Hold> }>();
  readonly files = new Map<Digest, Claim>();
  /** Thrown by `putClaim`. */
  writeFailure: Error | undefined;

  put(content: Uint8Array | string, hold: Hold = 'containerd'): Digest {
    const bytes = Buffer.from(content);
    const digest = digestOf(bytes);
    this.blobs.set(digest, { bytes, holds: new Set([hold]) });
    return digest;
  }

  stat(digest: Digest): BlobStat | undefined {
    const blob = this.blobs.get(digest);
    return blob && { digest, size: blob.bytes.length, holds: blob.holds, createdAtMs: 0, usedAtMs: 0 };
  }

  async open(digest: Digest): Promise<OpenBytes> {
    const bytes = this.blobs.get(digest)?.bytes;
    if (bytes === undefined) throw new CodedError('NOT_FOUND', `Blob "${digest}" is not here`);
    return {
      size: bytes.length,
      read: async (into, offset) => {
        // In two steps, as a disk may answer.
        const part = bytes.subarray(offset, offset + Math.min(into.length, 100));
        into.set(part);
        return part.length;
      },
      close: async () => undefined,
    };
  }

  async hold(digest: Digest, hold: 'containerd' | 'cache'): Promise<void> {
    this.blobs.get(digest)?.holds.add(hold);
  }

  claim(digest: Digest): Claim | undefined {
    return this.files.get(digest);
  }

  claims(): Iterable<Claim> {
    return [...this.files.values()];
  }

  putClaim(claim: Claim): void {
    if (this.writeFailure !== undefined) throw this.writeFailure;
    this.files.set(claim.digest, claim);
  }

  removeClaim(digest: Digest): void {
    this.files.delete(digest);
  }
}
