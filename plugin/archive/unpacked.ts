/** What was packed with gzip or zstd, unpacked as it arrives; anything else as it is. Which it is its first bytes say. */
import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { CodedError, messageOf } from '../../core/runtime/errors.ts';

export type Packing = 'gzip' | 'zstd' | 'none';

/** So many first bytes tell how something is packed. */
export const MAGIC_BYTES = 4;

/** RFC 1952, RFC 8878. */
export function packingOf(start: Uint8Array): Packing {
  if (start[0] === 0x1f && start[1] === 0x8b) return 'gzip';
  if (start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd) return 'zstd';
  return 'none';
}

/** @throws CodedError DATA_LOSS when the packed bytes are broken or cut off, naming how far it was unpacked */
export async function* unpacked(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const chunks = source[Symbol.asyncIterator]();
  try {
    const start: Uint8Array[] = [];
    let length = 0;
    while (length < MAGIC_BYTES) {
      const { done, value } = await chunks.next();
      if (done === true) break;
      start.push(Buffer.from(value));
      length += value.length;
    }
    const first = Buffer.concat(start);
    const whole = rejoined(first, chunks);
    const packing = packingOf(first);
    if (packing === 'none') return yield* whole;
    yield* through(whole, packing);
  } finally {
    await chunks.return?.();
  }
}

async function* rejoined(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  if (first.length > 0) yield first;
  yield* { [Symbol.asyncIterator]: () => rest };
}

async function* through(source: AsyncIterable<Uint8Array>, packing: 'gzip' | 'zstd'): AsyncGenerator<Uint8Array, void> {
  const unpack = packing === 'gzip' ? createGunzip() : createZstdDecompress();
  let sourceError: unknown;
  const input = Readable.from(source, { objectMode: false });
  input.once('error', (error) => {
    sourceError = error;
    unpack.destroy(error);
  });
  input.pipe(unpack);
  let bytes = 0;
  try {
    for await (const chunk of unpack) {
      if (!(chunk instanceof Uint8Array)) continue;
      bytes += chunk.length;
      yield chunk;
    }
  } catch (error) {
    if (sourceError !== undefined) throw sourceError;
    throw new CodedError(
      'DATA_LOSS',
      `Packed archive (${packing}) is broken after ${bytes} unpacked bytes: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  } finally {
    input.destroy();
  }
}
