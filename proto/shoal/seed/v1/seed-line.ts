/**
 * The answer of `POST /api/v1/seeds`, `application/x-ndjson`, one of these a line. First `accepted`, then `progress`, `result`
 * and `waiting` in any order, at the end `done`; `failed` in place of `done` when the seed as a whole broke off. An answer
 * that ends without either was cut off: run it again, it does only what is missing. Whoever closes the connection cancels the seed.
 *
 * Before `accepted` an error is an HTTP status with `{ "error": { "code", "message" } }`: 400 INVALID_ARGUMENT, 401, 403, 412
 * FAILED_PRECONDITION (a token over another connection than loopback), 429 RESOURCE_EXHAUSTED (too many seeds at once).
 */
export type SeedLine = SeedAccepted | SeedProgress | SeedResult | SeedWaiting | SeedDone | SeedFailed;

export interface SeedAccepted {
  kind: 'accepted';
  /** Names the seed for `/api/v1/seeds/<id>`. */
  id: string;
  nodes: number;
  images: number;
}

/** How far one image is on one node; told when it changes, at most once a second. */
export interface SeedProgress {
  kind: 'progress';
  node: string;
  ref: string;
  digest: string;
  state: 'waiting' | 'fetching' | 'unpacking';
  /** Of the image's blobs for this node, each once, those of manifests included. */
  bytes_total: number;
  /** Of these, on its disk now, proven or arriving. */
  bytes_present: number;
}

/** The end of one image on one node: exactly one for each (target, image). */
export interface SeedResult {
  kind: 'result';
  node: string;
  ref: string;
  digest: string;
  /**
   * `present`: everything was there before. `fetched`: now it is. Both: every blob proven by its digest and pinned, and, with
   * level `image`, unpacked. `skipped`: not tried, `reason` says why (no room, over the limit, other platform). `failed`: tried.
   */
  state: 'present' | 'fetched' | 'skipped' | 'failed';
  bytes_total: number;
  /** That this seed brought to that node for this image. */
  bytes_fetched: number;
  /** Blobs that are whole, proven by their digest and pinned on that node. */
  blobs_verified: number;
  blobs_total: number;
  /** ISO 8601: the end of the pin on that node; null when nothing was pinned. */
  pinned_until: string | null;
  /** With level `image`: whether the runtime has it unpacked; else null. */
  unpacked: boolean | null;
  /** `skipped` and `failed`: one sentence. Else null. */
  reason: string | null;
  /** `failed`: the project's error code (`NOT_FOUND`, `UNAUTHENTICATED`, `UNAVAILABLE`, …). Else null. */
  code: string | null;
  /** `failed`: the blob that it failed at, where it was one. Else null. */
  failed_digest: string | null;
  /** `skipped` and `failed`: whether the same seed may succeed later without anybody changing anything. */
  retriable: boolean;
  /** From the node's turn to this line, milliseconds. */
  elapsed_ms: number;
}

/** Nothing to tell, but alive: at least every five seconds. */
export interface SeedWaiting {
  kind: 'waiting';
}

export interface SeedDone {
  kind: 'done';
  id: string;
  present: number;
  fetched: number;
  skipped: number;
  failed: number;
  bytes_fetched: number;
}

export interface SeedFailed {
  kind: 'failed';
  code: string;
  message: string;
}
