/** The holds of a blob that a flight has brought: who wants it may change for as long as the disk takes to write them. */
import type { Digest } from '../../core/oci/digest.ts';
import type { BlobHolder } from '../store/blob-store.ts';
import type { FlightHold } from './content.ts';

/** `given`: by the commit; `wanted`: live, changed by those who come and go. */
export interface KeptHolds {
  readonly given: ReadonlySet<FlightHold>;
  readonly wanted: ReadonlySet<FlightHold>;
}

/** Gives the blob the holds that came, and takes back those that went, until nothing changed meanwhile. */
export async function keepHolds(store: BlobHolder, digest: Digest, { given, wanted }: KeptHolds): Promise<void> {
  const kept = new Set(given);
  for (;;) {
    const missing = [...wanted].find((hold) => !kept.has(hold));
    if (missing !== undefined) {
      await store.hold(digest, missing);
      kept.add(missing);
    } else if (given.has('containerd') && kept.has('containerd') && !wanted.has('containerd')) {
      // Only what the flight gave: the hold of a blob that came by other hands is theirs.
      await store.release(digest, 'containerd');
      kept.delete('containerd');
    } else return;
  }
}
