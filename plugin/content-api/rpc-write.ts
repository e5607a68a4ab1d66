/**
 * Write and Abort. One stream writes one ref: STAT asks, WRITE appends, COMMIT proves and ends. Whoever opens the ref first
 * has it until the stream is over. Opening and committing happen inside containerd's database transaction, so the
 * first STAT never waits for a hash of what an earlier stream wrote.
 */
import { type Digest, parseDigest } from '../../core/oci/digest.ts';
import { CodedError, isCode, messageOf } from '../../core/runtime/errors.ts';
import type { Ingest } from '../store/ingest-store.ts';
import {
  type Empty,
  type RefRequest,
  timestampOf,
  WRITE_ACTION,
  type WriteRequest,
  type WriteResponse,
} from './content-messages.ts';
import type { ContentServiceDeps, WriteSession } from './content-service.ts';
import { checkLabels } from './labels.ts';

type WriteDeps = Pick<ContentServiceDeps, 'store' | 'log'> & {
  readonly content: Pick<ContentServiceDeps['content'], 'arrived'>;
  readonly claims: Pick<ContentServiceDeps['claims'], 'committed'>;
};

/** The digest of no bytes: what a fresh ingest's first STAT says. */
const EMPTY_DIGEST = parseDigest('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');

/** An open stream, once its ref is known. */
interface OpenWrite {
  readonly ref: string;
  readonly ingest: Ingest;
  total: number;
  expected: Digest | undefined;
}

export interface Writes {
  open(): WriteSession;
  abort(request: RefRequest): Promise<Empty>;
}

export function createWrites(deps: WriteDeps): Writes {
  const sessions = new Map<string, WriteSession>();
  return {
    open: () => createSession(deps, sessions),
    async abort({ ref }) {
      await sessions.get(ref)?.close();
      // The built-in store answers OK for an absent ref, and containerd's garbage collection stops at the first error.
      await deps.store.abortIngest(ref).catch((error: unknown) => {
        if (!isCode(error, 'NOT_FOUND')) throw error;
      });
      return {};
    },
  };
}

function createSession(deps: WriteDeps, sessions: Map<string, WriteSession>): WriteSession {
  let open: OpenWrite | undefined;
  let state: 'open' | 'done' | 'closed' = 'open';
  let busy: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | undefined;

  const step = async (request: WriteRequest): Promise<WriteResponse> => {
    if (state !== 'open')
      throw new CodedError('FAILED_PRECONDITION', 'Write on a stream that was aborted or committed');
    const isFirst = open === undefined;
    if (open === undefined) {
      open = await openWrite(deps, request);
      sessions.set(open.ref, session);
    }
    const response = await answer(deps, open, { request, isFirst });
    if (request.action === WRITE_ACTION.COMMIT) state = 'done';
    return response;
  };

  const finish = async (): Promise<void> => {
    await busy.catch(() => undefined);
    if (open === undefined) return;
    if (sessions.get(open.ref) === session) sessions.delete(open.ref);
    await closeQuietly(deps, open);
  };

  const session: WriteSession = {
    handle(request) {
      const result = busy.catch(() => undefined).then(() => step(request));
      busy = result;
      return result;
    },
    isDone: () => state === 'done',
    close() {
      if (state === 'open') state = 'closed';
      closing ??= finish();
      return closing;
    },
  };
  return session;
}

async function openWrite(deps: WriteDeps, request: WriteRequest): Promise<OpenWrite> {
  if (request.ref === '') throw new CodedError('INVALID_ARGUMENT', 'The first message of a Write must name a ref');
  const total = Math.max(0, request.total);
  const expected = request.expected === '' ? undefined : parseDigest(request.expected);
  const ingest = await deps.store.openIngest(request.ref, {
    ...(total > 0 ? { total } : {}),
    ...(expected === undefined ? {} : { expected }),
  });
  const status = ingest.status();
  return { ref: request.ref, ingest, total: total || status.total, expected };
}

/** The store may have ended the ingest itself (commit, also a failed one); closing it again does no harm. */
async function closeQuietly(deps: WriteDeps, open: OpenWrite): Promise<void> {
  try {
    await open.ingest.close();
  } catch (error) {
    deps.log.warn({ ref: open.ref, error: messageOf(error) }, 'An ingest did not close cleanly');
  }
}

interface Turn {
  readonly request: WriteRequest;
  readonly isFirst: boolean;
}

async function answer(deps: WriteDeps, open: OpenWrite, turn: Turn): Promise<WriteResponse> {
  const { request } = turn;
  await takeExpectations(deps, open, request);
  if (request.action === WRITE_ACTION.STAT) return stat(open, turn.isFirst);
  if (request.action !== WRITE_ACTION.WRITE && request.action !== WRITE_ACTION.COMMIT) {
    throw new CodedError('INVALID_ARGUMENT', `Write action ${request.action} is not STAT, WRITE or COMMIT`);
  }
  await append(open, request);
  return request.action === WRITE_ACTION.COMMIT ? commit(deps, open, request) : written(open);
}

/** The last total and digest that a message brings count; a digest that containerd has already ends the stream. */
async function takeExpectations(deps: WriteDeps, open: OpenWrite, request: WriteRequest): Promise<void> {
  if (request.expected !== '') {
    open.expected = parseDigest(request.expected);
    if (deps.store.stat(open.expected)?.holds.has('containerd') === true) {
      await open.ingest.close();
      await deps.store.abortIngest(open.ref).catch(() => undefined);
      throw new CodedError('ALREADY_EXISTS', `Content "${open.expected}" is here already`);
    }
  }
  if (request.total > 0 && request.total !== open.total) {
    open.total = request.total;
    await open.ingest.setTotal(request.total);
  }
}

async function stat(open: OpenWrite, isFirst: boolean): Promise<WriteResponse> {
  const status = open.ingest.status();
  return {
    action: WRITE_ACTION.STAT,
    startedAt: timestampOf(status.startedAtMs),
    updatedAt: timestampOf(status.updatedAtMs),
    offset: status.offset,
    total: open.total,
    digest: await statDigest(open, { isFirst, offset: status.offset }),
  };
}

async function statDigest(open: OpenWrite, at: { isFirst: boolean; offset: number }): Promise<string> {
  if (at.offset === 0) return EMPTY_DIGEST;
  // containerd's client drops the digest of the first answer, and the node's database waits for it.
  return at.isFirst ? '' : await open.ingest.digest();
}

async function append(open: OpenWrite, request: WriteRequest): Promise<void> {
  const { offset } = open.ingest.status();
  if (request.offset !== 0 && request.offset !== offset) {
    throw new CodedError('OUT_OF_RANGE', `Write at ${request.offset} must occur at the current offset ${offset}`);
  }
  if (request.offset === 0 && offset > 0) await open.ingest.truncate(0);
  if (request.data.length > 0) await open.ingest.append(request.data);
}

async function written(open: OpenWrite): Promise<WriteResponse> {
  const { offset } = open.ingest.status();
  return { action: WRITE_ACTION.WRITE, offset, total: 0, digest: await open.ingest.digest() };
}

async function commit(deps: WriteDeps, open: OpenWrite, request: WriteRequest): Promise<WriteResponse> {
  if (request.labels !== undefined) checkLabels(request.labels);
  const { offset } = open.ingest.status();
  const options = {
    ...(open.total > 0 ? { size: open.total } : {}),
    ...(open.expected === undefined ? {} : { expected: open.expected }),
    ...(request.labels === undefined ? {} : { labels: request.labels }),
  };
  try {
    const digest = await open.ingest.commit(options);
    told(deps, open, digest);
    return { action: WRITE_ACTION.COMMIT, offset, total: 0, digest };
  } catch (error) {
    // containerd takes this for a commit: the blob is whole and its own.
    if (isCode(error, 'ALREADY_EXISTS')) told(deps, open, await open.ingest.digest());
    throw error;
  }
}

function told(deps: WriteDeps, open: OpenWrite, digest: Digest): void {
  deps.content.arrived(digest);
  deps.claims.committed(digest, open.ref);
}
