/** The store whole: blobs on this disk. Opens no socket and knows neither containerd's service nor any peer. */
import type { Service } from '../../core/runtime/lifecycle.ts';
import type { BlobHolder, BlobReader, LabelStore, PinStore } from './blob-store.ts';
import type { ClaimStore } from './claim-store.ts';
import type { IngestStore } from './ingest-store.ts';
import type { PartialStore } from './partial-store.ts';
import type { StoreWatch } from './store-watch.ts';

/** Every role of the store in one object; modules ask for the roles that they use. */
export interface Store
  extends Service,
    BlobReader,
    BlobHolder,
    LabelStore,
    PinStore,
    IngestStore,
    PartialStore,
    ClaimStore,
    StoreWatch {}

/** What the cache may use of the disk. */
export interface StoreLimits {
  /** Bytes that blobs may take which only the cache holds. */
  capacityBytes: number;
  /** Shares of the capacity: above `high` eviction starts, down to `low`. 0 < low ≤ high ≤ 1. */
  highWatermark: number;
  lowWatermark: number;
  /** Bytes of the file system left free, whoever uses them. */
  minFreeBytes: number;
}
