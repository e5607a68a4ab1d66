/**
 * Seeding's seam: making nodes fetch, pin and prove blobs before anyone asks for them. It knows what is wanted and by when it is
 * not wanted any more; how bytes travel is the heart's, who is alive the mesh's.
 */
import type { Descriptor, Platform } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import type { Source } from '../../core/oci/source.ts';
import type { ErrorCode } from '../../core/runtime/errors.ts';
import type { PullToken } from './pull-token.ts';

export type SeedLevel = 'content' | 'image';

/** An index or a manifest; with its bytes nobody has to ask a registry for it. */
export type SeedManifest = Descriptor & { readonly bytes?: Uint8Array };

export interface SeedImage {
  /** As workloads name it. */
  readonly ref: string;
  /** What it means in this run. */
  readonly digest: Digest;
  readonly source: Source;
  readonly manifests: readonly SeedManifest[];
  /** Configs and layers. */
  readonly blobs: readonly Descriptor[];
  /** Of the nodes that get it; absent: all. */
  readonly platforms?: readonly Platform[];
  readonly token?: PullToken;
}

export interface Pin {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly untilMs: number;
}

/** What one node is to do. */
export interface SeedOrder {
  readonly id: string;
  readonly pin: Pin;
  readonly level: SeedLevel;
  /** The most urgent first. */
  readonly images: readonly SeedImage[];
  readonly parallelBlobs: number;
  /** To be fetched, over all images. */
  readonly maxBytes?: number;
  /** From now; what is not done then has failed. */
  readonly deadlineMs: number;
}

/** One image on one node. The last four states are ends. */
export type ImageState = 'waiting' | 'fetching' | 'unpacking' | 'present' | 'fetched' | 'skipped' | 'failed';

export interface ImageRow {
  /** Its place in the order. */
  readonly image: number;
  readonly state: ImageState;
  /** Of its blobs, each once. */
  readonly bytesTotal: number;
  /** On the disk now, proven or arriving. */
  readonly bytesPresent: number;
  /** Brought by this order. */
  readonly bytesFetched: number;
  /** Whole, proven and pinned. */
  readonly blobsVerified: number;
  readonly blobsTotal: number;
  readonly pinnedUntilMs?: number;
  readonly isUnpacked?: boolean;
  /** Of `skipped` and `failed`. */
  readonly reason?: string;
  readonly code?: ErrorCode;
  readonly failedDigest?: Digest;
  /** The same order may succeed later without anybody changing anything. */
  readonly isRetriable: boolean;
  readonly elapsedMs: number;
}

export interface OrderNews {
  /** To be given with the next question. */
  readonly revision: number;
  /** Those that have changed. */
  readonly rows: readonly ImageRow[];
  readonly isDone: boolean;
}

/** What a node says of itself. */
export interface NodeFacts {
  readonly platform: Platform;
  /** On the file system of its store. */
  readonly freeBytes: number;
  /** What a seed may fill. */
  readonly roomBytes: number;
  readonly canUnpack: boolean;
}

type Call = { readonly signal: AbortSignal };

/** Seeding on one node: this one, or another over the peer port. */
export interface NodeSeeding {
  /** Begins an order, or finds that it runs. @throws CodedError RESOURCE_EXHAUSTED (too many at once), UNAVAILABLE */
  begin(order: SeedOrder, call: Call): Promise<void>;
  /** What has changed since `revision`; waits up to `waitMs` for something to end. @throws CodedError NOT_FOUND, UNAVAILABLE */
  watch(watched: { id: string; revision: number; waitMs: number }, call: Call): Promise<OrderNews>;
  /** Ends it. What it has brought stays, pinned. Absent is no error. */
  cancel(id: string, call: Call): Promise<void>;
  /** One bit a digest, the first in the highest bit of the first byte: whole and proven here. */
  presence(digests: readonly Digest[], call: Call): Promise<Uint8Array>;
  facts(call: Call): Promise<NodeFacts>;
}

/** Members that come later and are seeded while the pin lasts. */
export interface SeedSelector {
  readonly zones?: readonly string[];
  readonly platforms?: readonly Platform[];
}

/** A seed as it was asked for, checked. */
export interface SeedRequest {
  readonly pin: Pin;
  readonly level: SeedLevel;
  readonly images: readonly SeedImage[];
  /** Members' names, each once. */
  readonly targets: readonly string[];
  readonly newcomers?: SeedSelector;
  readonly limits: SeedLimits;
}

export interface SeedLimits {
  readonly parallelNodes: number;
  readonly parallelBlobs: number;
  readonly maxBytesPerNode?: number;
  readonly deadlineMs: number;
  readonly nodeDeadlineMs?: number;
  readonly silenceMs: number;
}

/** What is told of one image on one node. */
export interface SeedStep {
  readonly node: string;
  readonly image: SeedImage;
  readonly row: ImageRow;
}

export interface SeedCounts {
  readonly present: number;
  readonly fetched: number;
  readonly skipped: number;
  readonly failed: number;
  readonly bytesFetched: number;
}

/** A seed under way: `steps` ends when every (node, image) has. Leaving the loop cancels it. */
export interface RunningSeed {
  readonly id: string;
  readonly steps: AsyncIterable<SeedStep>;
  counts(): SeedCounts;
}

export interface SeedStatus extends SeedCounts {
  readonly id: string;
  readonly state: 'running' | 'keeping';
  readonly pin: Pin;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly level: SeedLevel;
  readonly refs: readonly string[];
  readonly nodes: number;
  readonly newcomers: number;
}

export interface PresenceRow {
  readonly node: string;
  /** Undefined: not reached, `reason` says why. */
  readonly has?: Uint8Array;
  readonly reason?: string;
}

export interface NodeRow {
  readonly name: string;
  readonly address: string;
  readonly zone: string;
  readonly version: string;
  readonly mode: string;
  /** Undefined: it did not answer. */
  readonly facts?: NodeFacts;
}

export interface LeaseAsk {
  readonly name: string;
  readonly holder: string;
  readonly action: 'acquire' | 'renew' | 'release';
  readonly seconds: number;
}

export interface LeaseWord {
  /** By the one who asked. */
  readonly isHeld: boolean;
  /** Undefined: by nobody. */
  readonly holder?: string;
  readonly fencing: number;
  readonly remainingMs: number;
}

/** What an edge may ask of this node about the fleet. */
export interface SeedDesk {
  /** @throws CodedError RESOURCE_EXHAUSTED when too many run already */
  seed(request: SeedRequest, call: Call): RunningSeed;
  seeds(): Iterable<SeedStatus>;
  /** Ends it and waits for no newcomers any more. False: no such seed. */
  cancel(id: string): boolean;
  /** A row as each node answers. `nodes` absent: every live member. */
  presence(
    asked: { digests: readonly Digest[]; nodes?: readonly string[]; silenceMs: number },
    call: Call,
  ): AsyncIterable<PresenceRow>;
  nodes(call: Call): AsyncIterable<NodeRow>;
  /** @throws CodedError UNAVAILABLE when no keeper answered */
  lease(ask: LeaseAsk, call: Call): Promise<LeaseWord>;
}
