/**
 * The fleet as the warmer sees it: through one node, which relays to the others. Implementations: `node-fleet.ts` over a node's
 * admin address; tests have their own.
 */
import type { Platform } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import type { SeedLine } from '../../proto/shoal/seed/v1/seed-line.ts';
import type { SeedRequest } from '../../proto/shoal/seed/v1/seed-request.ts';

export interface FleetMember {
  readonly name: string;
  readonly zone: string;
  readonly mode: 'full' | 'leech' | 'observer';
  /** Whether it answered; when not, nothing of what follows is known. */
  readonly isReached: boolean;
  readonly platform: Platform | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Bytes that a seed may fill. */
  readonly roomBytes: number | undefined;
}

export interface Presence {
  /** By node: which of the digests asked for it has, whole and proven. Silent nodes are not in it. */
  readonly held: ReadonlyMap<string, Iterable<Digest>>;
  /** By node that could not be asked: why. */
  readonly silent: ReadonlyMap<string, string>;
}

/** Errors of every method: CodedError with the node's own code, UNAVAILABLE when it does not answer, CANCELLED when aborted. */
export interface Fleet {
  /** Whether tokens may be sent: only over loopback, since the admin address is plain HTTP. */
  readonly takesTokens: boolean;
  members(options: { signal: AbortSignal }): Promise<readonly FleetMember[]>;
  presence(
    wanted: { digests: readonly Digest[]; nodes: readonly string[] },
    options: { signal: AbortSignal },
  ): Promise<Presence>;
  /** Ends with `done` or `failed`; leaving the loop cancels the seed. @throws UNAVAILABLE when the answer is cut off */
  seed(request: SeedRequest, options: { signal: AbortSignal }): AsyncIterable<SeedLine>;
}
