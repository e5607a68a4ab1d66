/** Writing a body no faster than it is read: one chunk at a time, since a chunk's buffer is used again for the next one. */
import type { ServerResponse } from 'node:http';
import { CodedError } from '../../core/runtime/errors.ts';
import { STALL_MS } from './limits.ts';

/** A body whose first chunk is there: what could go wrong before it can still be answered with a status. */
export interface BegunBody {
  readonly first: Uint8Array | undefined;
  readonly rest: AsyncIterator<Uint8Array>;
}

/** Waits for the first chunk. @throws what the chunks throw */
export async function begin(chunks: AsyncIterable<Uint8Array>): Promise<BegunBody> {
  const rest = chunks[Symbol.asyncIterator]();
  const { done, value } = await rest.next();
  return { first: done ? undefined : value, rest };
}

/** Writes what was begun. @throws what the chunks throw; CodedError CANCELLED when the client is gone or takes nothing */
export async function writeBegun(
  response: ServerResponse,
  { first, rest }: BegunBody,
  onBytes: (bytes: number) => void,
): Promise<void> {
  try {
    for (let chunk = first; chunk !== undefined; ) {
      await writeChunk(response, chunk);
      onBytes(chunk.length);
      const { done, value } = await rest.next();
      chunk = done ? undefined : value;
    }
  } finally {
    await rest.return?.();
  }
}

/** Resolves when the buffer may be used again. */
export function writeChunk(response: ServerResponse, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    if (response.destroyed) return reject(gone());
    const settle = (error?: Error | null) => {
      clearTimeout(timer);
      response.off('close', onClose);
      if (error) reject(gone(error));
      else resolve();
    };
    const onClose = () => settle(gone());
    const timer = setTimeout(() => response.destroy(), STALL_MS);
    response.once('close', onClose);
    response.write(chunk, settle);
  });
}

function gone(cause?: Error): CodedError {
  return new CodedError('CANCELLED', 'Client has stopped reading', { cause });
}
