/**
 * `POST /api/v1/presence`: which of these blobs are on which nodes, whole and proven; nothing is fetched. The answer is one
 * `PresenceRow` a line (`application/x-ndjson`), in the order in which nodes answer, and at the end `{ "kind": "done" }`.
 * Bounds: 50,000 digests, 10,000 nodes, 8 MiB of body.
 */
export interface PresenceRequest {
  digests: string[];
  /** Members' names. Absent: every live member. */
  nodes?: string[];
  /** A node that does not answer for so long is `reached: false`, 1 to 60; default 5. */
  silence_seconds?: number;
}

export type PresenceLine = PresenceRow | { kind: 'waiting' } | { kind: 'done' };

export interface PresenceRow {
  kind: 'node';
  node: string;
  /** False: no such live member, or no answer in time; `reason` says which. Nothing is known of its blobs then. */
  reached: boolean;
  reason: string | null;
  /** How many of the digests it has. */
  present: number;
  /** One bit for each digest of the request, in its order, the first in the highest bit of the first byte; base64. "" when not reached. */
  has: string;
}
