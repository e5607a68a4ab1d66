/**
 * Read: containerd unpacks through it in 32 KiB calls, one after another, so the latency of one call is what unpacking
 * costs. What lies in memory is answered in the turn that asked; the rest streams.
 */
import { type Digest, parseDigest } from '../../core/oci/digest.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { ReadRequest, ReadResponse } from './content-messages.ts';
import type { ContentServiceDeps } from './content-service.ts';

/** Bytes in one message: the buffer of containerd's own service, well under the 16 MiB that its clients take. */
export const READ_MESSAGE_BYTES_MAX = 1024 * 1024;

interface Reads {
  readNow(request: ReadRequest): Uint8Array | undefined;
  read(request: ReadRequest, options: { signal: AbortSignal }): AsyncIterable<ReadResponse>;
}

interface Range {
  readonly offset: number;
  readonly length: number;
  /** The whole blob, from its first byte to its last. */
  readonly isWhole: boolean;
}

type ReadDeps = Pick<ContentServiceDeps, 'content' | 'claims'>;

export function createRead(deps: ReadDeps): Reads {
  return {
    readNow: (request) => readNow(deps, request),
    read: (request, options) => read(deps, request, options),
  };
}

function readNow(deps: ReadDeps, request: ReadRequest): Uint8Array | undefined {
  const { offset, size } = request;
  if (offset < 0 || size <= 0 || size > READ_MESSAGE_BYTES_MAX) return undefined;
  const digest = parseDigest(request.digest);
  const bytes = deps.content.readNow(digest, offset, size);
  if (bytes === undefined || offset > 0) return bytes;
  if (deps.content.where(digest)?.size === bytes.length) deps.claims.wasRead(digest);
  return bytes;
}

async function* read(
  deps: ReadDeps,
  request: ReadRequest,
  options: { signal: AbortSignal },
): AsyncGenerator<ReadResponse> {
  const digest = parseDigest(request.digest);
  const range = rangeOf(request, sizeOf(deps, digest));
  let sent = 0;
  if (range.length > 0) {
    const { offset, length } = range;
    for await (const chunk of deps.content.read(digest, { offset, length }, options)) {
      for (let from = 0; from < chunk.length; from += READ_MESSAGE_BYTES_MAX) {
        const data = chunk.subarray(from, from + READ_MESSAGE_BYTES_MAX);
        yield { offset: sent, data };
        sent += data.length;
      }
    }
  }
  if (range.isWhole) deps.claims.wasRead(digest);
}

/** The size of a blob here or arriving; a claim that waits for its flight has one too. */
function sizeOf(deps: ReadDeps, digest: Digest): number {
  const size = deps.content.where(digest)?.size ?? deps.claims.claim(digest)?.size;
  if (size !== undefined) return size;
  throw new CodedError('NOT_FOUND', `Content "${digest}" is not here`);
}

/**
 * What containerd's service makes of a request: an offset below zero is the start, a size of zero or less is the rest, a
 * size beyond the end is cut.
 * @throws CodedError OUT_OF_RANGE when the offset lies beyond the end
 */
function rangeOf(request: ReadRequest, blobSize: number): Range {
  const offset = Math.max(0, request.offset);
  if (offset > blobSize) {
    throw new CodedError('OUT_OF_RANGE', `Read at ${offset} is past the end; the content has ${blobSize} bytes`);
  }
  const rest = blobSize - offset;
  const length = request.size <= 0 || request.size > rest ? rest : request.size;
  return { offset, length, isWhole: length === blobSize };
}
