/**
 * What the members of the fleet say of themselves, asked in rounds and only while somebody looks. For people and diagnosis: nothing that
 * moves bytes rests on it.
 */
import type { Digest } from '../../core/oci/digest.ts';
import type { Service } from '../../core/runtime/lifecycle.ts';
import type { PeerService } from '../providers/providers.ts';

/** Swarms that one member tells of; the rest is not told. */
export const SWARMS_TOLD_MAX = 16;

export interface SwarmFacts {
  readonly digest: Digest;
  readonly size: number;
  readonly pieces: number;
  readonly piecesHere: number;
  /** `pieceMap`: one digit a cell. */
  readonly map: string;
  readonly leases: number;
  readonly bytesFromPeers: number;
  readonly bytesFromSource: number;
}

export interface MemberFacts {
  readonly version: string;
  /** Its own clock as it answered, milliseconds since the epoch. */
  readonly nowMs: number;
  readonly startedAtMs: number;
  readonly blobs: number;
  /** Each blob once. */
  readonly bytes: number;
  readonly bytesByHold: Readonly<Record<'containerd' | 'cache' | 'pin', number>>;
  readonly capacityBytes: number;
  readonly freeBytes: number;
  readonly flights: number;
  /** Since it started. */
  readonly bytesFromRegistries: number;
  readonly bytesFromPeers: number;
  /** Sent to other nodes and by the mirror. */
  readonly bytesServed: number;
  readonly swarms: readonly SwarmFacts[];
}

/** What is known of one member. */
export interface Surveyed {
  /** When it was asked last, by our clock; undefined = never yet. */
  readonly askedAtMs: number | undefined;
  /** Its last answer. */
  readonly facts: MemberFacts | undefined;
  /** Its clock less ours, milliseconds, as far as a round trip lets one know. */
  readonly skewMs: number | undefined;
  /** Why the last question had no answer. */
  readonly failure: string | undefined;
}

/** How a member is reached now. `back…`: how it reaches us; undefined when it could not be asked. */
export interface Reached {
  readonly udp: boolean;
  readonly tcp: boolean;
  /** Its peer port answered; else why not. */
  readonly peer: true | { readonly reason: string };
  readonly backUdp: boolean | undefined;
  readonly backTcp: boolean | undefined;
  readonly skewMs: number | undefined;
}

export interface Survey extends Service, PeerService {
  /** What this node tells of itself; nobody is told anything before. */
  speakAs(own: () => Promise<MemberFacts>): void;
  /** Somebody looks, until the returned function is called; the rounds go on a minute longer. */
  watch(): () => void;
  /** By member; those not asked yet are missing. */
  surveyed(): ReadonlyMap<string, Surveyed>;
  /** Tries every way to one member and back, at once. @throws CodedError NOT_FOUND when it is no live member of ours */
  reach(name: string, options: { signal: AbortSignal }): Promise<Reached>;
}
