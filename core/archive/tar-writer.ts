/** Tar archives written piece by piece: plain files with short names, and the end. */
import { CodedError } from '../runtime/errors.ts';
import { TAR_BLOCK_BYTES, tarHeader } from './tar-header.ts';

export interface TarFile {
  /** 100 bytes at most. */
  readonly name: string;
  /** Bytes, as many as `content` gives. */
  readonly size: number;
  readonly content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** @throws CodedError INTERNAL when a content is not of its size, and what the contents throw */
export async function* writeTar(files: AsyncIterable<TarFile> | Iterable<TarFile>): AsyncGenerator<Uint8Array, void> {
  for await (const { name, size, content } of files) {
    yield tarHeader({ name, size });
    let written = 0;
    for await (const bytes of content) {
      written += bytes.length;
      yield bytes;
    }
    if (written !== size) throw new CodedError('INTERNAL', `"${name}" has ${written} bytes, ${size} were told`);
    const rest = size % TAR_BLOCK_BYTES;
    if (rest > 0) yield Buffer.alloc(TAR_BLOCK_BYTES - rest);
  }
  yield Buffer.alloc(2 * TAR_BLOCK_BYTES);
}
