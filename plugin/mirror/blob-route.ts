/** Blobs: whole and in parts, from the disk, or from a download while it runs (distribution-spec, "Pulling blobs"). */
import { randomBytes } from 'node:crypto';
import type { Digest } from '../../core/oci/digest.ts';
import type { Source } from '../../core/oci/source.ts';
import { CodedError, isCode } from '../../core/runtime/errors.ts';
import { Semaphore } from '../../core/runtime/semaphore.ts';
import { type Answering, type Head, sendBytes, sendEmpty } from './answering.ts';
import { fetchFor } from './blob-interest.ts';
import { type BegunBody, begin, writeBegun } from './body-writer.ts';
import { answeredByCondition, conditionsOf, contentHead } from './conditional.ts';
import { BODIES_MAX, BODIES_WAITING_MAX, BODY_WAIT_MS } from './limits.ts';
import type { MirrorDeps } from './mirror.ts';
import { contentRange, multipartOf } from './multipart-ranges.ts';
import { isRangeWanted } from './preconditions.ts';
import { type BytePart, type Parts, parseRange } from './range-header.ts';
import { SpecError, fromOrigin } from './spec-errors.ts';

const MEDIA_TYPE = 'application/octet-stream';

export interface BlobTarget {
  readonly source: Source;
  readonly digest: Digest;
  /** Bytes, when the registry has just said so. */
  readonly size?: number | undefined;
}

export type BlobDeps = Pick<MirrorDeps, 'content' | 'known' | 'origin'>;

export class BlobRoute {
  readonly #deps: BlobDeps;
  readonly #patienceMs: number;
  readonly #bodies = new Semaphore({ permits: BODIES_MAX, waitersMax: BODIES_WAITING_MAX });

  constructor(deps: BlobDeps, patienceMs: number) {
    this.#deps = deps;
    this.#patienceMs = patienceMs;
  }

  /** The caller's right to it was checked before. @throws SpecError, and what the registry and the download throw */
  async answer(to: Answering, target: BlobTarget): Promise<void> {
    const { digest } = target;
    const size = await this.#sizeOf(to, target);
    if (answeredByCondition(to, digest)) return;
    const head = { ...contentHead(digest), 'accept-ranges': 'bytes', 'content-type': MEDIA_TYPE };
    if (to.isHead) return sendEmpty(to, 200, { ...head, 'content-length': size });
    const isPart = isRangeWanted(conditionsOf(to), digest);
    const parts: Parts = isPart ? parseRange(to.headers.range, size) : { kind: 'whole' };
    if (parts.kind === 'none') throw unsatisfiable(digest, size);
    if (size === 0) await this.#settled(to, { ...target, size });
    if (size === 0) return sendBytes(to, 200, { head, body: Buffer.alloc(0) });
    const release = await this.#turn(to.signal);
    try {
      await this.#send(to, { ...target, size }, { head, parts });
    } finally {
      release();
    }
  }

  /** From here, from a proven manifest, or from the registry. */
  async #sizeOf({ as, signal, isHead }: Answering, { source, digest, size: told }: BlobTarget): Promise<number> {
    const { content, known, origin } = this.#deps;
    const here = content.where(digest)?.size ?? told ?? (isHead ? undefined : known.get(digest)?.size);
    if (here !== undefined) return here;
    const size = await origin.blobSize(source, digest, { signal, ...(as && { as }) }).catch((error: unknown) => {
      throw fromOrigin(error);
    });
    known.learnSource(digest, source);
    return size;
  }

  async #send(
    to: Answering,
    target: BlobTarget & { size: number },
    { head, parts }: { head: Head; parts: Parts },
  ): Promise<void> {
    const { leave, failureOf } = this.#bring(to, target);
    try {
      const plan = planOf(parts, target.size);
      const body = await this.#begin(to, target.digest, plan);
      to.response.writeHead(plan.status, { ...head, ...plan.head, 'content-length': plan.length });
      await this.#write(to, body);
    } catch (error) {
      throw failureOf(error);
    } finally {
      leave();
    }
  }

  /** A download that others wait for may have more patience than this client should. @throws CodedError UNAVAILABLE */
  async #begin({ signal }: Answering, digest: Digest, plan: BodyPlan): Promise<BegunBody> {
    const late = new AbortController();
    const reason = new CodedError('UNAVAILABLE', `No byte of "${digest}" came within ${this.#patienceMs} ms`);
    const timer = setTimeout(() => late.abort(reason), this.#patienceMs);
    const call = { signal: AbortSignal.any([signal, late.signal]) };
    const read = ({ start, end }: BytePart) =>
      this.#deps.content.read(digest, { offset: start, length: end - start }, call);
    try {
      return await begin(bodyOf(plan, read));
    } finally {
      clearTimeout(timer);
    }
  }

  /** `end` comes after the last chunk only: a body that fails before has fewer bytes than its length says. */
  async #write({ response, events }: Answering, body: BegunBody): Promise<void> {
    await writeBegun(response, body, (bytes) => events.sent(bytes));
    response.end();
  }

  /** Has the blob come here unless it is; a download that fails at once says why, where reading says only that it is not here. */
  #bring(
    { as }: Answering,
    target: BlobTarget & { size: number },
  ): { leave: () => void; failureOf: (error: unknown) => unknown } {
    const { content, known, origin } = this.#deps;
    const { source, digest, size } = target;
    if (content.where(digest)?.place === 'disk') return { leave: () => undefined, failureOf: (error) => error };
    if (as !== undefined) origin.lend(source, digest, as);
    // Not learned: that it is there is only said so far.
    const sources = [source, ...known.sources(digest)];
    const { flight, leave } = fetchFor(content, { digest, size, sources }, this.#patienceMs);
    let failure: unknown;
    flight.done.catch((error: unknown) => {
      failure = error;
    });
    return { leave, failureOf: (error) => (isCode(error, 'NOT_FOUND') ? (failure ?? error) : error) };
  }

  /** Nothing of an empty blob is read, but that it is there is proven all the same. */
  async #settled(to: Answering, target: BlobTarget & { size: number }): Promise<void> {
    if (this.#deps.content.where(target.digest)?.place === 'disk') return;
    const { source, digest, size } = target;
    if (to.as !== undefined) this.#deps.origin.lend(source, digest, to.as);
    const { flight, leave } = fetchFor(this.#deps.content, { digest, size, sources: [source] }, this.#patienceMs);
    await flight.done.finally(leave);
  }

  /** @throws CodedError UNAVAILABLE when none is free in time */
  async #turn(signal: AbortSignal): Promise<() => void> {
    const late = AbortSignal.timeout(BODY_WAIT_MS);
    try {
      return await this.#bodies.acquire({ signal: AbortSignal.any([signal, late]) });
    } catch (error) {
      signal.throwIfAborted();
      throw new CodedError('UNAVAILABLE', `${BODIES_MAX} blobs are being sent already`, { cause: error });
    }
  }
}

interface BodyPlan {
  readonly status: 200 | 206;
  readonly head: Head;
  /** Bytes of the body. */
  readonly length: number;
  readonly sections: readonly { readonly head?: Buffer; readonly part: BytePart }[];
  readonly end?: Buffer;
}

function planOf(parts: Parts, size: number): BodyPlan {
  if (parts.kind !== 'parts')
    return { status: 200, head: {}, length: size, sections: [{ part: { start: 0, end: size } }] };
  const [only] = parts.parts;
  if (only !== undefined && parts.parts.length === 1) {
    const head = { 'content-range': contentRange(only, size) };
    return { status: 206, head, length: only.end - only.start, sections: [{ part: only }] };
  }
  const boundary = `shoal-${randomBytes(16).toString('hex')}`;
  const { contentType, ...multipart } = multipartOf(parts.parts, { size, mediaType: MEDIA_TYPE, boundary });
  return { status: 206, head: { 'content-type': contentType }, ...multipart };
}

async function* bodyOf(
  plan: BodyPlan,
  read: (part: BytePart) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for (const { head, part } of plan.sections) {
    if (head !== undefined) yield head;
    yield* read(part);
  }
  if (plan.end !== undefined) yield plan.end;
}

function unsatisfiable(digest: Digest, size: number): SpecError {
  const message = `Blob "${digest}" has ${size} bytes, and none of them is in the range`;
  const headers = { 'content-range': `bytes */${size}` };
  return new SpecError('OUT_OF_RANGE', { status: 416, code: 'UNSUPPORTED', message, headers });
}
