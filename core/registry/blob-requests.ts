/** Blobs from a registry (OCI distribution-spec, "Pulling blobs"): exactly the bytes asked for, in order, resumed. */
import type { Digest } from '../oci/digest.ts';
import { CodedError, isCode } from '../runtime/errors.ts';
import { parseContentRange } from './content-range.ts';
import type { HttpAnswer } from './http-transport.ts';
import { checkRepository } from './manifest-requests.ts';
import { type BlobRange, type CallOptions, RegistryError, type Repository } from './registry-client.ts';
import type { RegistryRequest, RegistryRequests } from './registry-requests.ts';

/**
 * Connections for one call, however much each of them brought: one that ends after every few bytes would otherwise be
 * followed for ever.
 */
const CONNECTIONS_MAX = 32;

export interface BlobTarget {
  repository: Repository;
  digest: Digest;
}

/** See `RegistryClient.hasBlob`. */
export async function findBlob(
  requests: RegistryRequests,
  target: BlobTarget,
  options: CallOptions,
): Promise<{ size: number } | undefined> {
  const ask = (method: 'GET' | 'HEAD', headers: Record<string, string>) =>
    requests.perform(target.repository, blobRequest(target, { method, headers }), {
      ...options,
      use: async (answer) => {
        await answer.discard();
        return sizeIn(answer);
      },
    });
  try {
    const size = await ask('HEAD', {}).catch(unlessHeadRefused);
    const found = size ?? (await ask('GET', { range: 'bytes=0-0' }).catch(unlessEmpty));
    if (found !== undefined) return { size: found };
  } catch (error) {
    if (isCode(error, 'NOT_FOUND')) return undefined;
    throw error;
  }
  throw new CodedError('UNAVAILABLE', `${actionOf(target)} was found, but the registry does not tell its size`);
}

/** See `RegistryClient.blob`. */
export async function* readBlob(
  requests: RegistryRequests,
  target: BlobTarget & { size: number },
  options: CallOptions & BlobRange,
): AsyncGenerator<Buffer> {
  const { offset = 0, end = target.size } = options;
  if (!(offset >= 0 && offset <= end && end <= target.size)) {
    throw new CodedError('OUT_OF_RANGE', `${actionOf(target)} has ${target.size} bytes, not ${offset} to ${end}`);
  }
  let position = offset;
  let failures = 0;
  for (let connections = 1; position < end; connections += 1) {
    try {
      for await (const chunk of readOnce(requests, target, { ...options, offset: position, end })) {
        position += chunk.length;
        failures = 0;
        yield chunk;
      }
    } catch (error) {
      failures += 1;
      const isLast = failures >= requests.attemptsMax(options) || connections >= CONNECTIONS_MAX;
      const waitMs = isLast ? undefined : requests.waitMs(error, failures);
      if (waitMs === undefined || options.signal.aborted) throw error;
      await requests.clock.sleep(waitMs, { signal: options.signal });
    }
  }
}

/** One connection's worth. Ends only when all is there; throws UNAVAILABLE when the body is short. */
async function* readOnce(
  requests: RegistryRequests,
  target: BlobTarget & { size: number },
  options: CallOptions & { offset: number; end: number },
): AsyncGenerator<Buffer> {
  const { offset, end } = options;
  const isWhole = offset === 0 && end === target.size;
  const headers: Record<string, string> = isWhole ? {} : { range: `bytes=${offset}-${end - 1}` };
  const answer = await requests.open(target.repository, blobRequest(target, { method: 'GET', headers }), options);
  try {
    const body = bodyRange(answer, target, offset);
    let position = body.start;
    for await (const chunk of answer.body) {
      requests.received(target.repository, 'blob', chunk.length);
      if (position + chunk.length > body.end) throw tooLong(target, body.end);
      const wanted = chunk.subarray(Math.max(0, offset - position), Math.max(0, end - position));
      position += chunk.length;
      if (wanted.length > 0) yield wanted;
      // The rest of a longer answer is not ours to wait for; the end of an exact one tells whether it was exact.
      if (position >= end && body.end > end) return;
    }
    if (position < body.end) throw tooShort(target, position, body.end);
    if (body.end < end) throw tooShort(target, body.end, end);
  } finally {
    answer.destroy();
  }
}

/** Which bytes of the blob the body holds: what Content-Range says, or all of them from a server that ignores Range. */
function bodyRange(
  answer: HttpAnswer,
  target: BlobTarget & { size: number },
  offset: number,
): { start: number; end: number } {
  const action = actionOf(target);
  const encoding = answer.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new CodedError('DATA_LOSS', `${action} came encoded as "${encoding}", which was not asked for`);
  }
  const size = sizeIn(answer);
  if (size !== undefined && size > target.size) throw tooLong(target, target.size, size);
  if (answer.status !== 206) {
    if (size !== undefined && size < target.size) throw tooShort(target, size, target.size);
    return { start: 0, end: target.size };
  }
  const range = parseContentRange(answer.headers['content-range']);
  if (range === undefined || range.start > offset) {
    throw new CodedError('UNAVAILABLE', `${action} came from another place than byte ${offset}, which was asked for`);
  }
  if (range.end > target.size) throw tooLong(target, target.size, range.end);
  return range;
}

/** The size of the whole blob, as far as the answer tells. */
function sizeIn(answer: HttpAnswer): number | undefined {
  if (answer.status === 206) return parseContentRange(answer.headers['content-range'])?.size;
  const length = answer.headers['content-length'];
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

function blobRequest(
  target: BlobTarget,
  request: { method: 'GET' | 'HEAD'; headers: Record<string, string> },
): RegistryRequest {
  checkRepository(target.repository);
  return { kind: 'blob', path: `blobs/${target.digest}`, action: actionOf(target), ...request };
}

function actionOf({ repository, digest }: BlobTarget): string {
  return `Blob "${digest}" of "${repository.registry.host}/${repository.name}"`;
}

/** What HEAD was refused for may be HEAD itself; a GET tells, and says why. */
function unlessHeadRefused(error: unknown): undefined {
  if (!(error instanceof RegistryError)) throw error;
  if (error.code === 'FAILED_PRECONDITION' || [400, 403].includes(error.status)) return undefined;
  throw error;
}

/** The first byte of an empty blob cannot be had. */
function unlessEmpty(error: unknown): number {
  if (error instanceof RegistryError && error.status === 416) return 0;
  throw error;
}

function tooLong(target: BlobTarget, wanted: number, found?: number): CodedError {
  const more = found === undefined ? 'more' : `${found}`;
  return new CodedError(
    'DATA_LOSS',
    `${actionOf(target)} should end at byte ${wanted}, but the registry sends ${more}`,
  );
}

function tooShort(target: BlobTarget, found: number, wanted: number): CodedError {
  return new CodedError('UNAVAILABLE', `${actionOf(target)} ended at byte ${found}, not at byte ${wanted}`);
}
