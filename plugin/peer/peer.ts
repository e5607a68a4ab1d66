/**
 * The peer port's seam: the one port between nodes. It knows who may speak (mutual TLS), carries control calls and byte
 * ranges, and knows neither what a blob is kept for nor which node should be asked.
 */
import type { MethodDefinition } from '@grpc/proto-loader';
import type { Digest } from '../../core/oci/digest.ts';
import type { Service } from '../../core/runtime/lifecycle.ts';
import type { ByteRange } from '../store/partial-store.ts';
import type { PeerIdentity } from './identity.ts';

/** Where another node's peer port is. */
export interface PeerAddress {
  /** The member's name in the mesh. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

type Call = { signal: AbortSignal };

export interface RangeRequest {
  readonly digest: Digest;
  /** Whole pieces, or the end of the blob. */
  readonly range: ByteRange;
}

/** Bytes from others. */
export interface PeerRanges {
  /**
   * Reads a range of a blob in order. `take` gets each run of bytes in a buffer that is reused once its promise resolves; that
   * is the back-pressure. Nothing is proven here but the length.
   * @returns the SHA-256 of the range, hexadecimal, as its sender vouches for it
   * @throws CodedError NOT_FOUND, OUT_OF_RANGE (the peer does not have it), RESOURCE_EXHAUSTED (it is busy: ask another), UNAVAILABLE
   *   (unreachable, broken, or silent for the idle time), UNAUTHENTICATED (one of us is no member for the other)
   */
  readRange(
    peer: PeerAddress,
    request: RangeRequest,
    take: (bytes: Uint8Array) => Promise<void>,
    call: Call,
  ): Promise<string>;
}

/** Bytes for others: what stands behind the port. */
export interface RangeOffers {
  /**
   * Opens a range for a peer.
   * @throws CodedError NOT_FOUND when not all of it is here, RESOURCE_EXHAUSTED when too many are being read already
   */
  openRange(peer: string, request: RangeRequest, call: Call): Promise<OpenRange>;
}

export interface OpenRange {
  /** In order, at most 1 MiB each; a buffer stays untouched until the next one is asked for. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Of the whole range, hexadecimal; resolves at the latest when the last chunk was taken. */
  readonly sha256: Promise<string>;
}

/** One control call, as proto-loader describes it. */
export type PeerMethod = Pick<
  MethodDefinition<object, object>,
  'path' | 'requestSerialize' | 'requestDeserialize' | 'responseSerialize' | 'responseDeserialize'
>;

/** Control calls to others: small, unary, each with a deadline. */
export interface PeerCalls {
  /** @throws CodedError with the code that the other side threw, or UNAVAILABLE */
  call(peer: PeerAddress, method: PeerMethod, request: object, options: Call & { deadlineMs: number }): Promise<object>;
}

/** Answers one control call. `peer` is the caller's name as its certificate says it, or its address where there is no TLS. */
export type PeerHandler = (request: object, caller: { peer: string; signal: AbortSignal }) => Promise<object>;

/** The calls that this node answers, by their path (`/package.Service/Method`). */
export type PeerHandlers = ReadonlyMap<string, { readonly method: PeerMethod; readonly handle: PeerHandler }>;

export interface PeerPort extends Service, PeerRanges, PeerCalls {
  /** Where it listens; undefined before start and after stop. */
  address(): { host: string; port: number } | undefined;
  /**
   * Takes another keyring, or the operator's certificates anew, while running: connections that rest on a key or an authority that is
   * trusted no more are closed. The kind stays: with or without TLS is decided when the port is made.
   * @throws CodedError INVALID_ARGUMENT for what cannot be used, FAILED_PRECONDITION for another kind; nothing has changed then
   */
  setIdentity(identity: PeerIdentity): void;
}
