/** Blobs and claims as containerd's `Info`: the same words whether the bytes are here or only promised. */
import type { BlobStat, LabelStore } from '../store/blob-store.ts';
import type { Claim } from '../store/claim-store.ts';
import { type InfoMessage, timestampOf } from './content-messages.ts';

const NO_LABELS = Object.freeze({});

/** A whole blob: created when it was committed, updated when it was last labelled or used. */
export function infoOfBlob(blob: BlobStat, store: Pick<LabelStore, 'labels'>): InfoMessage {
  const labels = store.labels(blob.digest);
  return {
    digest: blob.digest,
    size: blob.size,
    createdAt: timestampOf(blob.createdAtMs),
    updatedAt: timestampOf(blob.usedAtMs),
    labels: labels.size === 0 ? NO_LABELS : Object.fromEntries(labels),
  };
}

/** A claim: as if it had been committed when it was made. */
export function infoOfClaim(claim: Claim): InfoMessage {
  const at = timestampOf(claim.claimedAtMs);
  return { digest: claim.digest, size: claim.size, createdAt: at, updatedAt: at, labels: NO_LABELS };
}
