/** Everything that a registry can do wrong, and the ways in which it may want to know who asks. */

/** A password at the registry itself. */
export interface BasicAuth {
  kind: 'basic';
  users: Readonly<Record<string, string>>;
}

/** A token server, at `/token` of the registry's own port. */
export interface BearerAuth {
  kind: 'bearer';
  users?: Readonly<Record<string, string>>;
  /** Gives tokens to nobody in particular. */
  anonymous?: boolean;
  /** Refresh tokens that POST takes. */
  identityTokens?: readonly string[];
  /** What `expires_in` says; left out when undefined, and tokens then live for a minute. */
  expiresInSeconds?: number;
  /** The field that the token comes in. */
  field?: 'token' | 'access_token';
  /** Left out of the challenge when true. */
  hidesScope?: boolean;
  /** Replaces the token server's URL in the challenge. */
  realm?: string;
}

/** A switchboard: every field is off when undefined, and may be changed between requests. */
export interface Faults {
  auth?: BasicAuth | BearerAuth | undefined;
  /** Blobs are served from the second port: 'other-host', or wherever this URL leads. */
  redirectBlobs?: 'other-host' | { to: string } | undefined;
  /** Storage answers HEAD with 403, as URLs signed for GET do. */
  storageRefusesHead?: boolean | undefined;
  /** Answers with this status so many times, counting down. */
  refuse?: { status: number; times: number; retryAfter?: string; only?: RegExp } | undefined;
  /** Breaks the connection after so many bytes of a blob, so many times, counting down. */
  truncate?: { afterBytes: number; times: number } | undefined;
  /** Flips one byte in every blob. */
  wrongBytes?: boolean | undefined;
  /** Changes the bytes of every manifest. */
  wrongManifests?: boolean | undefined;
  /** Every answer starts so much later, milliseconds. */
  delayMs?: number | undefined;
  /** Blob bodies are no faster than this. */
  bytesPerSecond?: number | undefined;
  /** Blob bodies stop after so many bytes, and the connection stays open. */
  stallAfterBytes?: number | undefined;
  /** Blob bodies are so many bytes longer (or shorter, below zero), and no length is told. */
  extraBytes?: number | undefined;
  /** `Content-Length` and `Content-Range` of blobs tell a size that differs by so much. */
  sizeLie?: number | undefined;
  /** HEAD is answered with this status. */
  refuseHead?: number | undefined;
  /** Answers 200 with the whole blob to a Range. */
  ignoreRange?: boolean | undefined;
  /** No Docker-Content-Digest. */
  hideDigest?: boolean | undefined;
  /** No pages of tags and no referrers, as before version 1.1 of the specification. */
  hidesLists?: boolean | undefined;
  /** Further headers of every answer. */
  headers?: Readonly<Record<string, string>> | undefined;
}
