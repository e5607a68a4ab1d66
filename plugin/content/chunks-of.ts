/** A long range of a blob in chunks, the next one being read while the present one is consumed. */
import { CodedError } from '../../core/runtime/errors.ts';
import type { OpenBytes } from '../store/blob-store.ts';

/** Large enough that a thread-pool hop costs little, and what one message carries at most. */
export const CHUNK_BYTES_MAX = 1024 * 1024;

/** Yields `[start, end)` in fresh buffers of at most `CHUNK_BYTES_MAX`; closes `bytes` at the end, also an early one. */
export async function* chunksOf(
  bytes: OpenBytes,
  range: { start: number; end: number },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  let at = range.start;
  let next = at < range.end ? readChunk(bytes, at, range.end) : undefined;
  try {
    while (next !== undefined) {
      signal.throwIfAborted();
      const chunk = await next;
      at += chunk.length;
      next = at < range.end ? readChunk(bytes, at, range.end) : undefined;
      yield chunk;
    }
  } finally {
    await Promise.allSettled([next]);
    await bytes.close();
  }
}

async function readChunk(bytes: OpenBytes, start: number, end: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES_MAX, end - start));
  const count = await bytes.read(buffer, start);
  if (count === 0) throw new CodedError('DATA_LOSS', `Blob ends at ${start}, ${end} bytes wanted`);
  return buffer.subarray(0, count);
}
