/**
 * The members that fetch one blob together: pieces from peers, pieces to peers, and one copy from the source. A source of
 * blobs for the heart, and what stands behind the peer port. Knows no registry: the source is an `Origin`.
 */
import type { Digest } from '../../core/oci/digest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { Service } from '../../core/runtime/lifecycle.ts';
import type { Logger } from '../../core/runtime/log.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';
import type { BlobSource, Want } from '../content/blob-source.ts';
import type { PeerCalls, PeerRanges, RangeOffers } from '../peer/peer.ts';
import type {
  HoldingState,
  HoldingTeller,
  LiveMembers,
  MemberMode,
  PeerService,
  ProviderFinder,
  ProviderList,
} from '../providers/providers.ts';
import type { OpenBytes } from '../store/blob-store.ts';
import type { ByteRange } from '../store/partial-store.ts';

/** What of a blob lies on this node: whole, downloading, or being written by containerd. */
export interface LocalBlob {
  readonly state: HoldingState;
  readonly size: number;
  /** The first gap at or after `from`; undefined when nothing is missing from there on. */
  missing(from: number): ByteRange | undefined;
  /** Opens what is there, to be read until it is closed; `read` gives fewer bytes than asked only at the blob's end. @throws CodedError NOT_FOUND when it went */
  open(): Promise<Pick<OpenBytes, 'read' | 'close'>>;
}

/** What this node can give, from memory. */
export interface LocalPieces {
  look(digest: Digest): LocalBlob | undefined;
}

/** The blob's source, wherever it lies: asked only for leased pieces, with a sink whose only gaps are those of one piece. */
export type Origin = Pick<BlobSource, 'prepare' | 'route' | 'settled' | 'fetch'>;

/** Other nodes. */
export interface SwarmPeers {
  /** This node's name in the mesh. */
  readonly self: string;
  readonly members: LiveMembers;
  readonly calls: PeerCalls;
  readonly ranges: PeerRanges;
  readonly providers: ProviderFinder & ProviderList & HoldingTeller;
}

export interface SwarmDeps extends SwarmPeers {
  readonly local: LocalPieces;
  readonly origin: Origin;
  readonly clock: Clock;
  /** From 0 to just below 1. */
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface SwarmOptions {
  /** Default `full`. */
  readonly mode?: MemberMode;
  /** Ranges of one blob read by others at once; default 4. Of all blobs, three times as many. */
  readonly uploadsMax?: number;
  /** Pieces on their way at once in one swarm; default 5. */
  readonly downloadsMax?: number;
  /** Memory of pieces that are not proven yet, over all swarms; default 96 MiB. */
  readonly bufferBytesMax?: number;
  /** The piece size of a blob; default the store's. All members must agree. */
  readonly pieceSizeFor?: (sizeBytes: number) => number;
}

/** One swarm that this node is in, for those who look. */
export interface SwarmStatus {
  readonly digest: Digest;
  readonly size: number;
  readonly pieces: number;
  readonly piecesHere: number;
  /** One bit a piece that is here, the first in the highest bit of the first byte. */
  readonly have: Uint8Array;
  readonly neighbours: readonly string[];
  readonly owner: string | undefined;
  readonly leases: number;
  readonly bytesFromPeers: number;
  readonly bytesFromSource: number;
}

export interface Swarm extends BlobSource, RangeOffers, PeerService, Service {
  /** The blob is whole and proven here, by whatever hands: told to its owners, and whoever sent wrong pieces of it is banned. */
  arrived(digest: Digest): void;
  /** A download, or containerd's Write, of it has begun here and feeds the swarm as it grows. */
  arriving(digest: Digest, state: 'fetching' | 'writing'): void;
  /** It is here no more. */
  gone(digest: Digest): void;
  /**
   * As `prepare`, for blobs that containerd is about to ask for: where nobody has one and this node cannot be believed to read
   * its source, its owner says whether this node's containerd is to fetch it for all (no route then), or to wait for another's.
   */
  gather(wants: readonly Want[]): void;
  /** The mesh changed: those that are gone leave every swarm. */
  membersChanged(): void;
  swarms(): Iterable<SwarmStatus>;
  /** Members that sent this node wrong bytes. */
  banned(): readonly string[];
}
