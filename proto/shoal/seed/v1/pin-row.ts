/** `GET /api/v1/pins`: the pins of this node, one a line (`application/x-ndjson`). */
export interface PinRow {
  name: string;
  /** ISO 8601: when it ends by itself. */
  until: string;
  blobs: number;
  bytes: number;
  digests: string[];
}
