/** Tar archives written piece by piece, by `tar-stream`. The same files give the same bytes: their time is the beginning of time. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { CodedError } from '../../core/runtime/errors.ts';

export interface TarFile {
  readonly name: string;
  /** Bytes, as many as `content` gives. */
  readonly size: number;
  readonly content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** @throws CodedError INTERNAL when a content is not of its size, and what the contents throw */
export async function* writeTar(files: AsyncIterable<TarFile> | Iterable<TarFile>): AsyncGenerator<Uint8Array, void> {
  const archive = pack();
  let failure: unknown;
  const filling = fill().catch((error: unknown) => {
    failure = error;
    archive.destroy();
  });
  async function fill(): Promise<void> {
    for await (const { name, size, content } of files) {
      const sink = archive.entry({ name, size, mtime: new Date(0) });
      await pipeline(Readable.from(sized(content, { name, size }), { objectMode: false }), sink);
    }
    archive.finalize();
  }
  try {
    for await (const bytes of archive) if (bytes instanceof Uint8Array) yield bytes;
    await filling;
  } catch (error) {
    throw failure ?? error;
  } finally {
    archive.destroy();
  }
  if (failure !== undefined) throw failure;
}

async function* sized(
  content: TarFile['content'],
  { name, size }: { name: string; size: number },
): AsyncGenerator<Uint8Array> {
  let written = 0;
  for await (const bytes of content) {
    written += bytes.length;
    yield bytes;
  }
  if (written !== size) throw new CodedError('INTERNAL', `"${name}" has ${written} bytes, ${size} were told`);
}
