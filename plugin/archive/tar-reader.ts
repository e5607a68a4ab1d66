/** Tar archives read as they arrive, by `tar-stream`: its entries one after another, with errors that name the entry and where it lies. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Extract, extract } from 'tar-stream';
import { CodedError, messageOf } from '../../core/runtime/errors.ts';

/** Entries of one archive: an image has some hundred files, an archive of many images some ten thousand. */
const ENTRIES_MAX = 200_000;
const HEADER_BYTES = 512;

export interface TarEntry {
  /** As in the archive, without a leading `./`. */
  readonly name: string;
  /** `link`: symbolic or hard. `other`: folders, devices and what else there is. */
  readonly kind: 'file' | 'link' | 'other';
  /** Bytes of its content. */
  readonly size: number;
  /** Where its header begins in the archive, unpacked. */
  readonly offset: number;
  /** Of a link: as written. */
  readonly target: string;
  readonly isHardLink: boolean;
  /** Its content, once. What is not read is skipped. @throws CodedError DATA_LOSS when the archive ends in it */
  bytes(): AsyncIterable<Uint8Array>;
}

/** @throws CodedError DATA_LOSS (cut off), INVALID_ARGUMENT (no tar archive, or a broken one), RESOURCE_EXHAUSTED (beyond the bounds) */
export async function* readTar(archive: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry, void> {
  const tar = extract();
  const feed = new Feed(archive);
  // Its failure ends the entries, which tell of it.
  void pipeline(Readable.from(feed.chunks(), { objectMode: false }), tar).catch(() => undefined);
  let last: TarEntry | undefined;
  try {
    let count = 0;
    for await (const entry of tar) {
      count += 1;
      if (count > ENTRIES_MAX)
        throw new CodedError('RESOURCE_EXHAUSTED', `Archive has more than ${ENTRIES_MAX} entries`);
      last = told(entry, feed);
      yield last;
      entry.resume();
    }
    if (feed.error !== undefined) throw feed.error;
    if (feed.byteCount === 0) throw new CodedError('INVALID_ARGUMENT', 'Archive is empty');
  } catch (error) {
    throw feed.error ?? (error instanceof CodedError ? error : broken(error, last, feed));
  }
}

/** What iterating over an `Extract` gives. */
type Entry = Extract extends AsyncIterable<infer One> ? One : never;

/** The archive on its way to the parser: how much of it, and why it ended early. */
class Feed {
  readonly #archive: AsyncIterable<Uint8Array>;
  byteCount = 0;
  error: unknown;

  constructor(archive: AsyncIterable<Uint8Array>) {
    this.#archive = archive;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.#archive) {
        this.byteCount += chunk.length;
        yield chunk;
      }
    } catch (error) {
      this.error = error;
      throw error;
    }
  }
}

function told(entry: Entry, feed: Feed): TarEntry {
  const { name, type, size = 0, linkname } = entry.header;
  const isLink = type === 'link' || type === 'symlink';
  const known = {
    name: name.replace(/^(?:\.?\/)+/, ''),
    kind: isLink ? 'link' : type === 'file' || type === 'contiguous-file' ? 'file' : 'other',
    size: isLink ? 0 : size,
    offset: contentOffset(entry.header) - HEADER_BYTES,
    target: linkname ?? '',
    isHardLink: type === 'link',
  } as const;
  return { ...known, bytes: () => contentOf(entry, known, feed) };
}

/** Where the entry's bytes begin; tar-stream 3.2 tells it, its types do not. */
function contentOffset(header: object): number {
  return 'byteOffset' in header && typeof header.byteOffset === 'number' ? header.byteOffset : HEADER_BYTES;
}

async function* contentOf(entry: Entry, known: Omit<TarEntry, 'bytes'>, feed: Feed): AsyncGenerator<Uint8Array> {
  let count = 0;
  try {
    for await (const bytes of entry) {
      if (!(bytes instanceof Uint8Array)) continue;
      count += bytes.length;
      yield bytes;
    }
  } catch (error) {
    if (feed.error !== undefined) throw feed.error;
    throw new CodedError(
      'DATA_LOSS',
      `Archive ends inside "${shown(known.name)}" (entry at offset ${known.offset}): ${count} of ${known.size} bytes`,
      { cause: error },
    );
  }
}

/** What tar-stream says of bytes that are no archive. */
function broken(error: unknown, last: TarEntry | undefined, { byteCount }: Feed): CodedError {
  const text = messageOf(error);
  const after = last === undefined ? '' : ` behind "${shown(last.name)}" (entry at offset ${last.offset})`;
  if (text === 'Unexpected end of data')
    return new CodedError('DATA_LOSS', `Archive ends${after} after ${byteCount} bytes, not at the end of an entry`);
  if (last === undefined) return new CodedError('INVALID_ARGUMENT', `No tar archive: ${text}`, { cause: error });
  return new CodedError('INVALID_ARGUMENT', `Archive is broken${after}: ${text}`, { cause: error });
}

/** A name as messages quote it. */
export function shown(name: string): string {
  return name.length > 200 ? `${name.slice(0, 200)}…` : name;
}
