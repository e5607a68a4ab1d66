/** An input that can be read again, though it gives what it has once. */
import { CodedError } from '../../core/runtime/errors.ts';

/** As much as a manifest file may have, for a daemon that keeps it. */
const BYTES_MAX = 256 * 1024 * 1024;

export function replayed(input: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let reading: Promise<readonly Uint8Array[]> | undefined;
  return {
    async *[Symbol.asyncIterator]() {
      reading ??= readAll(input);
      yield* await reading;
    },
  };
}

async function readAll(input: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    bytes += chunk.length;
    if (bytes > BYTES_MAX) throw new CodedError('RESOURCE_EXHAUSTED', `Stdin has more than ${BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return chunks;
}
