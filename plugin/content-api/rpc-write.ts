/**
 * Write and Abort. One stream writes one ref: STAT asks, WRITE appends, COMMIT proves and ends. Whoever opens the ref first
 * has it until the stream is over. Opening and committing happen inside containerd's database transaction, so the
 * first STAT never waits for a hash of what an earlier stream wrote. The second comes outside of it, before anything is fetched: the
 * last moment for a claim. Its answer is then that everything has been written, and containerd commits
 * (`core/remotes/handlers.go`, `Fetch`).
 */
import { type Digest, parseDigest } from '../../core/oci/digest.ts';
import { CodedError, isCode, messageOf } from '../../core/runtime/errors.ts';
import type { Ingest } from '../store/ingest-store.ts';
import type { LateClaim } from './claims.ts';
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

type WriteDeps = Pick<ContentServiceDeps, 'log'> & {
  readonly store: Pick<ContentServiceDeps['store'], 'stat' | 'hold' | 'openIngest' | 'abortIngest'>;
  readonly content: Pick<ContentServiceDeps['content'], 'arrived'>;
  readonly claims: Pick<ContentServiceDeps['claims'], 'committed' | 'decideLate' | 'asked'>;
};

/** The digest of no bytes: what a fresh ingest's first STAT says. */
const EMPTY_DIGEST = parseDigest('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');

/** An open stream, once its ref is known. */
interface OpenWrite {
  readonly ref: string;
  readonly ingest: Ingest;
  total: number;
  expected: Digest | undefined;
  /** Whether `claim` has been asked for, which is done once. */
  isAskedLate: boolean;
  /** The fleet brings the blob: nothing is to be written. */
  claim: LateClaim | undefined;
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
  const over = new AbortController();

  const step = async (request: WriteRequest): Promise<WriteResponse> => {
    if (state !== 'open')
      throw new CodedError('FAILED_PRECONDITION', 'Write on a stream that was aborted or committed');
    const isFirst = open === undefined;
    if (open === undefined) {
      open = await openWrite(deps, request);
      sessions.set(open.ref, session);
    }
    const response = await answer(deps, open, { request, isFirst, signal: over.signal });
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
      over.abort(new CodedError('CANCELLED', 'Write is over'));
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
  return {
    ref: request.ref,
    ingest,
    total: total || status.total,
    expected,
    isAskedLate: false,
    claim: undefined,
  };
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
  readonly signal: AbortSignal;
}

async function answer(deps: WriteDeps, open: OpenWrite, turn: Turn): Promise<WriteResponse> {
  const { request } = turn;
  await takeExpectations(deps, open, request);
  if (request.action === WRITE_ACTION.STAT) {
    if (!turn.isFirst) await claimLate(deps, open, turn.signal);
    return open.claim === undefined ? stat(open, turn.isFirst) : statOfClaim(open, open.claim);
  }
  if (request.action !== WRITE_ACTION.WRITE && request.action !== WRITE_ACTION.COMMIT) {
    throw new CodedError('INVALID_ARGUMENT', `Write action ${request.action} is not STAT, WRITE or COMMIT`);
  }
  if (request.data.length > 0) open.claim = undefined;
  if (open.claim !== undefined && request.action === WRITE_ACTION.COMMIT) {
    return commitClaim(deps, { open, claim: open.claim }, request);
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

/** Only before the first byte: what has been written is not thrown away for others'. */
async function claimLate(deps: WriteDeps, open: OpenWrite, signal: AbortSignal): Promise<void> {
  if (open.isAskedLate || open.total === 0 || open.ingest.status().offset > 0) return;
  open.isAskedLate = true;
  open.claim = await deps.claims.decideLate({ ref: open.ref, total: open.total }, { signal });
}

/** containerd asks once more as it commits, and takes the size from there. */
function statOfClaim(open: OpenWrite, { size, digest }: LateClaim): WriteResponse {
  const { startedAtMs, updatedAtMs } = open.ingest.status();
  return {
    action: WRITE_ACTION.STAT,
    startedAt: timestampOf(startedAtMs),
    updatedAt: timestampOf(updatedAtMs),
    offset: size,
    total: size,
    digest,
  };
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

/** containerd's record follows, inside its transaction: as after an `Info` that said yes. */
async function commitClaim(
  deps: WriteDeps,
  { open, claim }: { open: OpenWrite; claim: LateClaim },
  request: WriteRequest,
): Promise<WriteResponse> {
  const { digest, size } = claim;
  if (open.total !== size || (open.expected ?? digest) !== digest) {
    throw new CodedError(
      'FAILED_PRECONDITION',
      `Commit of "${open.ref}" is for ${open.total} bytes of "${open.expected ?? digest}", not ${size} of "${digest}"`,
    );
  }
  if (request.labels !== undefined && request.labels.size > 0) {
    throw new CodedError('UNAVAILABLE', `Content "${digest}" is still arriving; it can be labelled when it is whole`);
  }
  if (deps.claims.asked(digest) === undefined) {
    if (deps.store.stat(digest) === undefined)
      throw new CodedError('UNAVAILABLE', `Content "${digest}" did not come after all`);
    await deps.store.hold(digest, 'containerd');
  }
  await closeQuietly(deps, open);
  await deps.store.abortIngest(open.ref).catch(() => undefined);
  return { action: WRITE_ACTION.COMMIT, offset: size, total: 0, digest };
}

function told(deps: WriteDeps, open: OpenWrite, digest: Digest): void {
  deps.content.arrived(digest);
  deps.claims.committed(digest, open.ref);
}
