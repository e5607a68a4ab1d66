/** Blobs that stream into the store: those whose digest is known beforehand, and those that tell it at their end. */
import type { Digest } from '../../core/oci/digest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError, isCode } from '../../core/runtime/errors.ts';
import { retry } from '../../core/runtime/retry.ts';
import type { BlobHolder, BlobReader } from '../store/blob-store.ts';
import type { Ingest, IngestStore } from '../store/ingest-store.ts';
import type { PartialStore } from '../store/partial-store.ts';

/** A download of the same blob that no source feeds gives up by then (`content.claim_give_up` is a minute). */
const TURN = { attemptsMax: 400, pauseMs: 250 };
/** Read and written again at once. */
const COPY_BYTES = 1024 * 1024;

export interface BlobWriterDeps {
  readonly store: BlobReader & BlobHolder & PartialStore & IngestStore;
  readonly clock: Clock;
}

interface Incoming {
  readonly size: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/**
 * Keeps a blob in the cache, proven against its digest.
 * @returns false when it was here already; its bytes are read all the same
 * @throws CodedError DATA_LOSS when it is another one, RESOURCE_EXHAUSTED on a full disk
 */
export async function keepNamed(
  deps: BlobWriterDeps,
  { digest, size, bytes }: Incoming & { digest: Digest },
  { signal }: { signal: AbortSignal },
): Promise<boolean> {
  const partial = await openInTurn(deps, { digest, size }, signal);
  if (partial === undefined) {
    for await (const _part of bytes);
    await deps.store.hold(digest, 'cache');
    return false;
  }
  try {
    let offset = 0;
    for await (const part of bytes) {
      signal.throwIfAborted();
      await partial.write(offset, part);
      offset += part.length;
    }
    await partial.commit(new Set(['cache']));
    return true;
  } finally {
    await partial.discard();
  }
}

/** As `keepNamed` for bytes whose digest only they themselves tell. `ref` names them while they are written. */
export async function keepUnnamed(
  deps: BlobWriterDeps,
  { ref, size, bytes }: Incoming & { ref: string },
  { signal }: { signal: AbortSignal },
): Promise<{ digest: Digest; isNew: boolean }> {
  const ingest = await deps.store.openIngest(ref, { total: size });
  try {
    for await (const part of bytes) {
      signal.throwIfAborted();
      await ingest.append(part);
    }
    const digest = await ingest.digest();
    const isNew = await keepNamed(deps, { digest, size, bytes: bytesOf(ingest, size) }, { signal });
    return { digest, isNew };
  } finally {
    await ingest.close();
    await deps.store.abortIngest(ref);
  }
}

/** Undefined when the blob is whole here. A running download of it is let end first. */
async function openInTurn(
  { store, clock }: BlobWriterDeps,
  { digest, size }: { digest: Digest; size: number },
  signal: AbortSignal,
) {
  try {
    return await retry(() => store.openPartial(digest, size), {
      attemptsMax: TURN.attemptsMax,
      clock,
      signal,
      waitMs: (error) => (isCode(error, 'UNAVAILABLE') ? TURN.pauseMs : undefined),
    });
  } catch (error) {
    if (isCode(error, 'ALREADY_EXISTS')) return undefined;
    throw error;
  }
}

async function* bytesOf(ingest: Ingest, size: number): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(Math.min(COPY_BYTES, size));
  for (let offset = 0; offset < size; ) {
    const count = await ingest.read(buffer, offset);
    if (count === 0) throw new CodedError('DATA_LOSS', `What was written ends after ${offset} of ${size} bytes`);
    offset += count;
    yield buffer.subarray(0, count);
  }
}
