/** What seeding on this node stands on. */
import type { Platform } from '../../../core/oci/descriptor.ts';
import type { Clock } from '../../../core/runtime/clock.ts';
import type { Logger } from '../../../core/runtime/log.ts';
import type { Metrics } from '../../../core/runtime/metrics.ts';
import type { ImageRuntime } from '../../containerd/image-runtime.ts';
import type { ContentFetcher } from '../../content/content.ts';
import type { KnownBlobs } from '../../content/known-blobs.ts';
import type { Manifests } from '../../content/manifests.ts';
import type { Origin } from '../../content/origin.ts';
import type { BlobHolder, BlobReader, PinStore } from '../../store/blob-store.ts';
import type { PartialStore } from '../../store/partial-store.ts';

export interface NodeSeedingDeps {
  readonly store: BlobReader & BlobHolder & PinStore & PartialStore;
  readonly content: Pick<ContentFetcher, 'fetch' | 'unwant'>;
  readonly known: Pick<KnownBlobs, 'learnManifest' | 'learnSource'>;
  /** With this node's own rights. */
  readonly manifests: Pick<Manifests, 'manifest'>;
  /** With lent ones. */
  readonly origin: Pick<Origin, 'lend' | 'manifest' | 'blobSize'>;
  /** Absent: level `image` cannot be had here. */
  readonly runtime?: ImageRuntime;
  readonly platform: Platform;
  /** False where nothing is to be held. */
  readonly mayHold: boolean;
  readonly disk: {
    /** Free on the file system of the store. */
    freeBytes(): number;
    /** To be left free. */
    readonly minFreeBytes: number;
  };
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}
