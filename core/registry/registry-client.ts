/**
 * An OCI registry, pull side only (OCI distribution-spec): what the rest of the house may ask of it.
 * Bytes of manifests come proven; bytes of blobs come with the right length only, and whoever keeps them proves them.
 */
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { CodedError, type ErrorCode } from '../runtime/errors.ts';
import type { Credential } from './credentials.ts';

/** One registry, as references name it and as it is reached. */
export interface RegistryEndpoint {
  /** The name in references, with its port when it has one: `docker.io`. */
  host: string;
  /** Scheme, host, port: `https://registry-1.docker.io`. Plain http only when it says `http://`. */
  url: string;
  /** PEM certificates to trust besides the usual ones. */
  ca?: string;
  /** The registry's own credential; goes before any credential source. */
  credential?: Credential;
  /** True when the operator wrote this endpoint down: only then may it be loopback, link-local or a metadata address. */
  isConfigured?: boolean;
}

/** One repository of one registry. */
export interface Repository {
  registry: RegistryEndpoint;
  /** `library/nginx`. */
  name: string;
  /** Used in place of every other credential, when someone asks with their own. */
  credential?: Credential;
}

/** How every call behaves. */
export interface CallOptions {
  signal: AbortSignal;
  /** Attempts in all; 1 when the caller would rather let someone else try. Default: the client's. */
  attemptsMax?: number;
}

/** Which bytes of a blob: from `offset` (default 0) up to, not including, `end` (default: its size). */
export interface BlobRange {
  offset?: number;
  end?: number;
}

/** A token that may pull from one repository, to hand to a node that has no credential of its own. */
export interface PullToken {
  token: string;
  /** Milliseconds since the Unix epoch. */
  expiresAtMs: number;
}

/**
 * Errors of every method: RegistryError UNAUTHENTICATED (401), PERMISSION_DENIED (403), NOT_FOUND (404),
 * RESOURCE_EXHAUSTED (429), UNAVAILABLE (no answer, 5xx, a body cut short); CodedError INVALID_ARGUMENT (a name or
 * reference that is none), PERMISSION_DENIED (an address that may not be reached), DATA_LOSS (bytes that contradict
 * their digest or size), CANCELLED.
 */
export interface RegistryClient {
  /** What a tag or digest points to now. A HEAD, which Docker Hub does not count; a GET when that is not enough. */
  resolve(repository: Repository, reference: string, options: CallOptions): Promise<Descriptor>;

  /** A manifest by tag or digest, proven against the digest when there is one, of 4,393,216 bytes at most. */
  manifest(
    repository: Repository,
    reference: string,
    options: CallOptions & { descriptor?: Descriptor },
  ): Promise<{ descriptor: Descriptor; bytes: Buffer }>;

  /** The size of a blob; undefined when the registry does not have it. */
  hasBlob(repository: Repository, digest: Digest, options: CallOptions): Promise<{ size: number } | undefined>;

  /**
   * Bytes of a blob in order, exactly as many as asked for. Resumes after broken connections. Reads only as fast as
   * it is consumed; leaving the loop closes the connection.
   */
  blob(
    repository: Repository,
    blob: { digest: Digest; size: number },
    options: CallOptions & BlobRange,
  ): AsyncIterable<Buffer>;

  /** A token that pulls from this repository alone; undefined where the registry works without tokens. */
  pullToken(repository: Repository, options: CallOptions): Promise<PullToken | undefined>;
}

/** A refusal or failure of a registry, with what it said. */
export class RegistryError extends CodedError {
  override readonly name = 'RegistryError';
  /** The HTTP status; 0 when no answer came. */
  readonly status: number;
  /** How long the registry asks to be left alone, milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { status: number; retryAfterMs?: number | undefined; cause?: unknown },
  ) {
    super(code, message, { cause: options.cause });
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }
}

export type RequestKind = 'manifest' | 'blob' | 'list' | 'token';

/** What a registry says of its pull limit (Docker Hub: `ratelimit-limit: 100;w=21600`). */
export interface RateLimit {
  limit: number;
  remaining: number;
  windowSeconds?: number;
}

/** Told as things happen; must not throw. `registry` is the endpoint's `host`. */
export interface RegistryObserver {
  /** One HTTP exchange, redirects and failures (status 0) included. */
  onRequest?(request: { registry: string; kind: RequestKind; method: string; status: number }): void;
  /** Body bytes as they arrive. */
  onBytes?(received: { registry: string; kind: RequestKind; bytes: number }): void;
  onRateLimit?(limit: RateLimit & { registry: string }): void;
}
