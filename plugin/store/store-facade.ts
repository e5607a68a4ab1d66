/**
 * The store as a client of containerd's content service sees it. The conformance suite drives this shape, so that one suite
 * runs on every implementation: directly, and through the socket.
 */
import type { Digest } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { Ingest, IngestStatus } from './ingest-store.ts';
import type { Store } from './store.ts';

/** What containerd's `Info` tells of a blob. */
export interface FacadeInfo {
  readonly digest: Digest;
  readonly size: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly labels: ReadonlyMap<string, string>;
}

export interface CommitOptions {
  size?: number;
  expected?: Digest;
  labels?: ReadonlyMap<string, string>;
}

/** One writer that holds its ref's lock until `commit` or `close`. */
export interface FacadeWriter {
  status(): Promise<IngestStatus>;
  digest(): Promise<Digest>;
  write(bytes: Uint8Array): Promise<void>;
  /** Starts again from nothing. */
  truncate(): Promise<void>;
  commit(options?: CommitOptions): Promise<Digest>;
  /** Also after a commit, where it does nothing. */
  close(): Promise<void>;
}

/** Failures are CodedErrors, whatever lies between. */
export interface StoreFacade {
  openWriter(ref: string, options?: { total?: number; expected?: Digest }): Promise<FacadeWriter>;
  status(ref: string): Promise<IngestStatus>;
  statuses(): Promise<IngestStatus[]>;
  abort(ref: string): Promise<void>;
  /** @throws CodedError NOT_FOUND */
  info(digest: Digest): Promise<FacadeInfo>;
  /** What containerd has been given. */
  list(): Promise<FacadeInfo[]>;
  /** At most `length` bytes from `offset`; fewer only at the end. @throws CodedError NOT_FOUND */
  read(digest: Digest, offset: number, length: number): Promise<Uint8Array>;
  /** Absent digests are no error. */
  delete(digest: Digest): Promise<void>;
  /** Replaces all labels. @throws CodedError NOT_FOUND */
  setLabels(digest: Digest, labels: ReadonlyMap<string, string>): Promise<void>;
}

/** A store seen as containerd sees it: only its own hold counts. */
export function storeFacade(store: Store): StoreFacade {
  return {
    openWriter: async (ref, options) => writerOf(await store.openIngest(ref, options)),
    status: (ref) => store.ingestStatus(ref),
    statuses: () => store.ingestStatuses(),
    abort: (ref) => store.abortIngest(ref),
    info: async (digest) => infoOf(store, digest),
    list: async () => [...store.list('containerd')].map(({ digest }) => infoOf(store, digest)),
    read: (digest, offset, length) => readRange(store, digest, { offset, length }),
    delete: (digest) => store.release(digest, 'containerd', { keep: false }),
    setLabels: (digest, labels) => store.setLabels(digest, labels),
  };
}

function writerOf(ingest: Ingest): FacadeWriter {
  return {
    status: async () => ingest.status(),
    digest: () => ingest.digest(),
    write: (bytes) => ingest.append(bytes),
    truncate: () => ingest.truncate(0),
    commit: (options) => ingest.commit(options ?? {}),
    close: () => ingest.close(),
  };
}

function infoOf(store: Store, digest: Digest): FacadeInfo {
  const stat = store.stat(digest);
  if (stat === undefined || !stat.holds.has('containerd')) {
    throw new CodedError('NOT_FOUND', `Blob "${digest}" is not here`);
  }
  const { size, createdAtMs, usedAtMs } = stat;
  return { digest, size, createdAtMs, updatedAtMs: usedAtMs, labels: store.labels(digest) };
}

async function readRange(store: Store, digest: Digest, range: { offset: number; length: number }): Promise<Uint8Array> {
  const bytes = await store.open(digest);
  try {
    const into = new Uint8Array(range.length);
    return into.subarray(0, await bytes.read(into, range.offset));
  } finally {
    await bytes.close();
  }
}
