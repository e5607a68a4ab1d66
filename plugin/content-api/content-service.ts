/**
 * containerd's content service, without its transport: what each of the nine calls means. Any gRPC endpoint can stand in
 * front of it. It touches no disk and knows no peer; it asks the store, the heart and the claim rules.
 *
 * Semantics: containerd `plugins/services/content/contentserver/contentserver.go` over `plugins/content/local`.
 */
import type { Digest } from '../../core/oci/digest.ts';
import type { Logger } from '../../core/runtime/log.ts';
import type { ContentReader } from '../content/content.ts';
import type { BlobHolder, BlobReader, LabelStore } from '../store/blob-store.ts';
import type { IngestStore } from '../store/ingest-store.ts';
import type { Claims } from './claims.ts';
import type {
  DigestRequest,
  Empty,
  FilterRequest,
  InfoRequest,
  InfoResponse,
  ListContentResponse,
  ListStatusesResponse,
  ReadRequest,
  ReadResponse,
  RefRequest,
  StatusResponse,
  UpdateRequest,
  WriteRequest,
  WriteResponse,
} from './content-messages.ts';
import { createDelete } from './rpc-delete.ts';
import { createInfo } from './rpc-info.ts';
import { createList } from './rpc-list.ts';
import { createRead } from './rpc-read.ts';
import { createStatuses } from './rpc-statuses.ts';
import { createUpdate } from './rpc-update.ts';
import { createWrites } from './rpc-write.ts';

export interface ContentServiceDeps {
  readonly store: Pick<BlobReader, 'stat' | 'list'> & Pick<BlobHolder, 'hold' | 'release'> & LabelStore & IngestStore;
  readonly content: ContentReader & { arrived(digest: Digest): void };
  readonly claims: Pick<
    Claims,
    'decide' | 'decideLate' | 'givesLocal' | 'claim' | 'asked' | 'claims' | 'released' | 'committed' | 'wasRead'
  >;
  readonly log: Logger;
}

/** Every call throws CodedError; endpoints map its code by `grpc-status.ts`. */
export interface ContentService {
  /** At once when the digest is known; containerd may be waiting inside a database transaction. */
  info(request: InfoRequest): InfoResponse | Promise<InfoResponse>;
  update(request: UpdateRequest): Promise<InfoResponse>;
  /** Messages of at most `LIST_BATCH` blobs each. */
  list(request: FilterRequest): Iterable<ListContentResponse>;
  delete(request: DigestRequest): Promise<Empty>;
  /** The hot path: the one and only answer of a Read whose bytes lie in memory; undefined when `read` has to be asked. */
  readNow(request: ReadRequest): Uint8Array | undefined;
  /** Messages of at most 1 MiB. */
  read(request: ReadRequest, options: { signal: AbortSignal }): AsyncIterable<ReadResponse>;
  status(request: RefRequest): Promise<StatusResponse>;
  listStatuses(request: FilterRequest): Promise<ListStatusesResponse>;
  /** One Write stream. */
  write(): WriteSession;
  abort(request: RefRequest): Promise<Empty>;
}

/** One Write stream: requests go in one after another, each gets one answer. */
export interface WriteSession {
  /** @throws CodedError; the stream is over then, and only `close` may follow */
  handle(request: WriteRequest): Promise<WriteResponse>;
  /** True after a commit: the stream ends well without waiting for more. */
  isDone(): boolean;
  /** The stream ended or its client vanished: the ref is unlocked, what was written stays for a resume. Idempotent. */
  close(): Promise<void>;
}

/** @param deps the store's roles, the heart, the claim rules */
export function createContentService(deps: ContentServiceDeps): ContentService {
  const writes = createWrites(deps);
  return {
    info: createInfo(deps),
    update: createUpdate(deps),
    list: createList(deps),
    delete: createDelete(deps),
    ...createRead(deps),
    ...createStatuses(deps),
    write: writes.open,
    abort: writes.abort,
  };
}
