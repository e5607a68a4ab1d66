/**
 * `GET /api/v1/seeds`: one `SeedRow` a line (`application/x-ndjson`): seeds that run at this node, and those whose pin is current, for which newcomers are
 * waited for. In memory: a restart of this node forgets them (their pins stay where they are until their end), and so whoever
 * asked asks again; the same request does only what is missing.
 *
 * `DELETE /api/v1/seeds/<id>` (Content-Type `application/json`, no body): cancels it and waits for no newcomers any more. Pins stay until
 * their end. 204, or 404.
 */
export interface SeedRow {
  id: string;
  /** `running`: somebody waits for its answer. `keeping`: done; newcomers get it until `until`. */
  state: 'running' | 'keeping';
  pin: string;
  /** ISO 8601. */
  until: string;
  started_at: string;
  level: 'content' | 'image';
  images: string[];
  nodes: number;
  /** (node, image) pairs that have ended, by how. */
  present: number;
  fetched: number;
  skipped: number;
  failed: number;
  bytes_fetched: number;
  /** Newcomers that were seeded after the answer had ended. */
  newcomers: number;
}
