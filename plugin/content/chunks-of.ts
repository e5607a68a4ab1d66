/** A long range of a blob in chunks, the next one being read while the present one is consumed. */
import { CodedError } from '../../core/runtime/errors.ts';
import type { OpenBytes } from '../store/blob-store.ts';

/** Large enough that a thread-pool hop costs little, and what one message carries at most. */
export const CHUNK_BYTES_MAX = 1024 * 1024;

/**
 * Yields `[start, end)` in chunks of at most `CHUNK_BYTES_MAX`; closes `bytes` at the end, also an early one. Two buffers take
 * turns, so a chunk holds its bytes until the next one is asked for: fresh ones would keep the garbage collector busier
 * than the disk.
 */
export async function* chunksOf(
  bytes: OpenBytes,
  range: { start: number; end: number },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const size = Math.min(CHUNK_BYTES_MAX, range.end - range.start);
  const buffers: Buffer[] = [];
  let at = range.start;
  let turn = 0;
  const readOn = () => {
    if (at >= range.end) return undefined;
    turn = 1 - turn;
    const into = buffers[turn] ?? Buffer.allocUnsafeSlow(size);
    buffers[turn] = into;
    const reading = readChunk(bytes, into, { start: at, end: range.end });
    // It may fail while its reader is busy with the chunk before; it is told when it is asked for.
    reading.catch(() => undefined);
    return reading;
  };
  let next = readOn();
  try {
    while (next !== undefined) {
      signal.throwIfAborted();
      const chunk = await next;
      at += chunk.length;
      next = readOn();
      yield chunk;
    }
  } finally {
    await Promise.allSettled([next]);
    await bytes.close();
  }
}

async function readChunk(
  bytes: OpenBytes,
  into: Buffer,
  { start, end }: { start: number; end: number },
): Promise<Uint8Array> {
  const count = await bytes.read(into.subarray(0, Math.min(into.length, end - start)), start);
  if (count === 0) throw new CodedError('DATA_LOSS', `Blob ends at ${start}, ${end} bytes wanted`);
  return into.subarray(0, count);
}
