/**
 * The messages of `containerd.services.content.v1` as plain objects, in the shape that proto-loader gives them
 * (camelCase, int64 as number, exact to 2^53). Types only.
 */

/** `google.protobuf.Timestamp`: seconds since the epoch, and nanoseconds. */
export interface Timestamp {
  readonly seconds: number;
  readonly nanos: number;
}

export interface InfoMessage {
  readonly digest: string;
  readonly size: number;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
  readonly labels: Readonly<Record<string, string>>;
}

export interface StatusMessage {
  readonly startedAt: Timestamp;
  readonly updatedAt: Timestamp;
  readonly ref: string;
  readonly offset: number;
  readonly total: number;
  readonly expected: string;
}

export interface InfoRequest {
  readonly digest: string;
}

export interface InfoResponse {
  readonly info: InfoMessage;
}

export interface UpdateRequest {
  readonly info: Pick<InfoMessage, 'digest' | 'labels'> | null;
  readonly updateMask: { readonly paths: readonly string[] } | null;
}

export interface FilterRequest {
  readonly filters: readonly string[];
}

export interface ListContentResponse {
  readonly info: readonly InfoMessage[];
}

export interface DigestRequest {
  readonly digest: string;
}

export interface ReadRequest {
  readonly digest: string;
  /** First byte; zero or less means the start. */
  readonly offset: number;
  /** Bytes; zero or less means all that follow. */
  readonly size: number;
}

export interface ReadResponse {
  /** Offset of `data` within this answer, as containerd's own service counts it. */
  readonly offset: number;
  readonly data: Uint8Array;
}

export interface RefRequest {
  readonly ref: string;
}

export interface StatusResponse {
  readonly status: StatusMessage;
}

export interface ListStatusesResponse {
  readonly statuses: readonly StatusMessage[];
}

/** `WriteAction`, by number as on the wire. */
export const WRITE_ACTION = { STAT: 0, WRITE: 1, COMMIT: 2 } as const;

export interface WriteRequest {
  readonly action: number;
  readonly ref: string;
  readonly total: number;
  readonly expected: string;
  readonly offset: number;
  readonly data: Uint8Array;
  /** Undefined when the message carries none, which differs from containerd's point of view from none kept. */
  readonly labels: ReadonlyMap<string, string> | undefined;
}

export interface WriteResponse {
  readonly action: number;
  readonly startedAt?: Timestamp | undefined;
  readonly updatedAt?: Timestamp | undefined;
  readonly offset: number;
  readonly total: number;
  /** Empty when it is not known without hashing what an earlier stream wrote. */
  readonly digest: string;
}

export type Empty = Readonly<Record<string, never>>;

/** Milliseconds since the epoch (fractions count) as a Timestamp. */
export function timestampOf(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1000);
  const nanos = Math.round((ms - seconds * 1000) * 1e6);
  return nanos < 1e9 ? { seconds, nanos } : { seconds: seconds + 1, nanos: 0 };
}
