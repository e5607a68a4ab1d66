/**
 * The admin edge's seam: health, metrics, inspection and pulling over HTTP. It is told what to show by functions that
 * answer from memory, and knows neither the disk nor any registry.
 */
import type { Digest } from '../../core/oci/digest.ts';
import type { Source } from '../../core/oci/source.ts';
import type { HostPort } from '../../core/runtime/config-address.ts';
import type { Logger } from '../../core/runtime/log.ts';
import type { ScrapableMetrics } from '../../core/runtime/metrics.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { Export, Import } from '../archive/archive.ts';
import type { FlightStatus } from '../content/content.ts';
import type { SeedDesk } from '../seed/seed.ts';
import type { MemberFacts, Survey } from '../survey/survey.ts';

/** Whether content is served, and in plain words why not. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

/** One member of the mesh, as this node sees it. */
export interface MemberRow {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** memberlist's states: `alive`, `suspect`, `dead`, `left`. */
  readonly state: string;
  /** Absent: a member of another kind, a serf agent. */
  readonly node:
    | { readonly zone: string; readonly peerPort: number; readonly version: string; readonly mode: string }
    | undefined;
}

/** One swarm that this node downloads in. */
export interface SwarmRow {
  readonly digest: Digest;
  readonly size: number;
  readonly pieces: number;
  readonly piecesHere: number;
  readonly neighbours: readonly string[];
  readonly owner: string | undefined;
  /** Pieces that this node fetches from the source now. */
  readonly leases: number;
  readonly bytesFromPeers: number;
  readonly bytesFromSource: number;
}

export interface NodeStatus {
  readonly name: string;
  readonly zone: string;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly content: {
    /** undefined = the plugin is off. */
    readonly socket: string | undefined;
    readonly root: string;
    readonly claim: 'off' | 'local' | 'fleet';
    readonly containerd: 'off' | 'reachable' | 'unreachable';
  };
  readonly store: {
    readonly blobs: number;
    /** Of all blobs, each counted once. */
    readonly bytes: number;
    readonly bytesByHold: Readonly<Record<'containerd' | 'cache' | 'pin', number>>;
    readonly capacityBytes: number;
    /** Free on the file system. */
    readonly freeBytes: number;
  };
  /** Absent: nothing is pinned. */
  readonly pins?: { readonly count: number; readonly lastUntilMs: number };
  readonly claims: number;
  readonly flights: number;
  /** undefined = this node is not part of a mesh. */
  readonly mesh:
    | {
        /** Sealed by a key; without one it stays on loopback unless that was asked for. */
        readonly hasKey: boolean;
        readonly isInsecure: boolean;
        readonly bind: string;
        /** Where the peer port listens; undefined while it does not. */
        readonly peer: string | undefined;
        readonly members: Readonly<Record<string, number>>;
        /** Members that sent this node wrong bytes. */
        readonly banned: readonly string[];
        /** Why nobody of `mesh.join` answered, the last time; undefined once somebody did. */
        readonly joinFailure: string | undefined;
        /** Addresses that sent what no key of ours opens; the latest last. */
        readonly strangers: readonly { readonly address: string; readonly reason: string; readonly lastAtMs: number }[];
      }
    | undefined;
}

export interface BlobRow {
  readonly digest: Digest;
  readonly size: number;
  readonly holds: Iterable<string>;
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number;
  readonly usedAtMs: number;
  /** The end of its longest pin; absent: none. */
  readonly pinnedUntilMs?: number;
}

/** Blobs that are kept until a time, whatever else holds them. */
export interface PinRow {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly untilMs: number;
  readonly digests: readonly Digest[];
  /** Of all of them. */
  readonly bytes: number;
}

export interface ClaimRow {
  readonly digest: Digest;
  readonly size: number;
  readonly sources: readonly Source[];
  /** Milliseconds since the epoch. */
  readonly claimedAtMs: number;
}

/** How far one blob of an image is. */
export interface PullProgress {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly bytesPresent: number;
  /** The puller's own word, as `waiting`, `fetching`, `done`. */
  readonly state: string;
}

/** Brings an image here; ends when all of it is. Stops when the signal aborts. `platform` undefined = this node's. */
export type Pull = (
  ref: string,
  platform: string | undefined,
  options: { signal: AbortSignal },
) => AsyncIterable<PullProgress>;

export interface AdminDeps {
  status(): NodeStatus;
  readiness(): Readiness;
  blobs(): Iterable<BlobRow>;
  claims(): Iterable<ClaimRow>;
  flights(): Iterable<FlightStatus>;
  members(): Iterable<MemberRow>;
  swarms(): Iterable<SwarmRow>;
  pins(): Iterable<PinRow>;
  readonly seeding: SeedDesk;
  readonly pull: Pull;
  /** Images in archives; undefined = neither in nor out. */
  readonly archives?: { readonly import: Import; readonly export: Export };
  /** Where a blob comes from, as far as it is known; none for most. */
  sourcesOf(digest: Digest): readonly Source[];
  /** What this node says of itself to those who look at the fleet. */
  ownFacts(): Promise<MemberFacts>;
  /** What others say; undefined = no mesh. */
  readonly survey: Pick<Survey, 'watch' | 'surveyed' | 'reach'> | undefined;
  readonly clock: Clock;
  readonly metrics: ScrapableMetrics;
  readonly log: Logger;
}

export interface AdminOptions {
  readonly listen: HostPort;
  /** What callers who change something must present; undefined = only a loopback listener lets anyone change anything. */
  readonly token?: string;
  /** Names besides addresses and `localhost` that a Host header may carry: this node's own. */
  readonly names?: readonly string[];
}
