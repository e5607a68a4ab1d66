/** The runtime's image service as seeding needs it: an image pulled and unpacked as the kubelet would have it. */
import type { Digest } from '../../core/oci/digest.ts';

export interface ImageRuntime {
  /** From memory or a cheap call: whether it would answer. */
  isThere(call: { signal: AbortSignal }): Promise<boolean>;
  /**
   * Pulls and unpacks `ref`, with the runtime's own credentials; what lies in its content store is not fetched again.
   * @throws CodedError FAILED_PRECONDITION when `ref` means another image than `digest` by now; what the runtime says
   */
  pull(ref: string, digest: Digest, call: { signal: AbortSignal }): Promise<void>;
}
