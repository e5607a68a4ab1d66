/**
 * Who says that it has which blob. The first three live members by rendezvous hash own a digest's list; holders tell
 * owners, others ask them. Hints, never truth: only a matching hash is truth. Knows neither pieces' bytes nor registries.
 */
import type { Digest } from '../../core/oci/digest.ts';
import type { Service } from '../../core/runtime/lifecycle.ts';
import type { PeerAddress, PeerHandler, PeerMethod } from '../peer/peer.ts';

/** `leech` uploads nothing; `observer` holds nothing. */
export type MemberMode = 'full' | 'leech' | 'observer';

/** A live member of the mesh that carries our tag. */
export interface SwarmMember extends PeerAddress {
  /** Locality; empty when the operator gave none. */
  readonly zone: string;
  readonly mode: MemberMode;
}

/** The live members now, this one included. Cheap, asked again and again: the same list as long as nothing changed, another one when something did. */
export type LiveMembers = () => readonly SwarmMember[];

export type HoldingState = 'whole' | 'fetching' | 'writing';

export interface Provider {
  readonly name: string;
  readonly state: HoldingState;
  /** Whole pieces there when it was told; of no meaning when whole. */
  readonly pieces: number;
}

/** What this node tells others that it has. */
export interface HoldingTeller {
  /** Told to the owners soon, in a batch; again when they change, and before it would be forgotten. */
  holds(digest: Digest, state: HoldingState, pieces?: number): void;
  gone(digest: Digest): void;
}

/** What others said that they have. */
export interface ProviderFinder {
  /** From memory, at once: what was last heard; undefined when nobody was asked, or the answer is too old. */
  peek(digest: Digest): readonly Provider[] | undefined;
  /** Asks the owners in the background: one call an owner for all of them. Those just asked are not asked again. */
  lookUp(digests: readonly Digest[]): void;
  /** Resolves when no look-up of this digest runs. @throws the signal's reason */
  settled(digest: Digest, options: { signal: AbortSignal }): Promise<void>;
  isAsking(digest: Digest): boolean;
}

/** What this node was told as an owner. */
export interface ProviderList {
  listed(digest: Digest): Provider[];
}

export interface PeerService {
  readonly handlers: readonly { readonly method: PeerMethod; readonly handler: PeerHandler }[];
}

export interface Providers extends Service, HoldingTeller, ProviderFinder, ProviderList, PeerService {
  /** The mesh changed: lists move to the new owners. */
  membersChanged(): void;
}
