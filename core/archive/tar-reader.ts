/**
 * Tar archives read as they arrive: POSIX ustar with pax headers, and GNU's long names and sizes (POSIX.1-2024 pax; GNU tar manual,
 * "Basic Tar Format"). Every fault names the entry and where in the archive it lies.
 */
import { CodedError } from '../runtime/errors.ts';
import { ByteSource } from './byte-source.ts';
import { parseTarHeader, paxRecords, type RawHeader, TAR_BLOCK_BYTES } from './tar-header.ts';

/** Entries of one archive: an image has some hundred files, an archive of many images some ten thousand. */
const ENTRIES_MAX = 200_000;
/** Extended headers hold names. */
const EXTENSION_BYTES_MAX = 1024 * 1024;

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
  const source = new ByteSource(archive);
  try {
    let extended: Extension = {};
    for (let count = 0; ; ) {
      const offset = source.offset;
      const header = await readHeader(source, offset);
      if (header === undefined) return;
      if (isExtension(header)) {
        extended = { ...extended, ...(await readExtension(source, header, offset)) };
        continue;
      }
      count += 1;
      if (count > ENTRIES_MAX)
        throw new CodedError('RESOURCE_EXHAUSTED', `Archive has more than ${ENTRIES_MAX} entries`);
      const content = new Content(source, named(header, extended, offset));
      extended = {};
      yield content.entry;
      await content.skip();
    }
  } finally {
    await source.close();
  }
}

interface Extension {
  readonly name?: string;
  readonly target?: string;
  readonly size?: number;
}

type Told = Omit<TarEntry, 'bytes'>;

/** undefined at the end of the archive. Archives that end without their two empty blocks are whole as well. */
async function readHeader(source: ByteSource, offset: number): Promise<RawHeader | undefined> {
  const block = await source.take(TAR_BLOCK_BYTES);
  if (block.length === 0) {
    if (offset === 0) throw new CodedError('INVALID_ARGUMENT', 'Archive is empty');
    return undefined;
  }
  if (block.length < TAR_BLOCK_BYTES)
    throw new CodedError('DATA_LOSS', `Archive ends in a header, at offset ${source.offset}`);
  if (block.every((byte) => byte === 0)) {
    // What follows the end is let through, so that its sender can finish.
    while ((await source.next(Number.MAX_SAFE_INTEGER)).length > 0);
    return undefined;
  }
  const header = parseTarHeader(block);
  if (header !== undefined) return header;
  const what = offset === 0 ? 'No tar archive' : `Archive is broken: no header at offset ${offset}`;
  throw new CodedError('INVALID_ARGUMENT', what);
}

function isExtension({ type }: RawHeader): boolean {
  return type === 'x' || type === 'g' || type === 'L' || type === 'K';
}

async function readExtension(source: ByteSource, { type, size }: RawHeader, offset: number): Promise<Extension> {
  if (size > EXTENSION_BYTES_MAX) {
    throw new CodedError(
      'RESOURCE_EXHAUSTED',
      `Header at offset ${offset} has ${size} bytes, ${EXTENSION_BYTES_MAX} at most`,
    );
  }
  const padded = await source.take(size + paddingOf(size));
  if (padded.length < size) throw new CodedError('DATA_LOSS', `Archive ends in a header, at offset ${source.offset}`);
  const bytes = padded.subarray(0, size);
  if (type === 'L') return { name: textOf(bytes) };
  if (type === 'K') return { target: textOf(bytes) };
  if (type === 'g') return {};
  const { path, linkpath, size: told } = paxRecords(bytes);
  const length = told === undefined ? undefined : Number(told);
  if (length !== undefined && !Number.isSafeInteger(length)) {
    throw new CodedError('INVALID_ARGUMENT', `Archive is broken: header at offset ${offset} tells a size of "${told}"`);
  }
  return {
    ...(path !== undefined && { name: path }),
    ...(linkpath !== undefined && { target: linkpath }),
    ...(length !== undefined && { size: length }),
  };
}

function named(header: RawHeader, extended: Extension, offset: number): Told {
  const { type } = header;
  const kind = type === '0' || type === '7' ? 'file' : type === '1' || type === '2' ? 'link' : 'other';
  return {
    name: (extended.name ?? header.name).replace(/^(?:\.?\/)+/, ''),
    kind,
    size: kind === 'link' ? 0 : (extended.size ?? header.size),
    offset,
    target: extended.target ?? header.target,
    isHardLink: type === '1',
  };
}

/** One entry's content, read or skipped. */
class Content {
  readonly entry: TarEntry;
  readonly #source: ByteSource;
  readonly #told: Told;
  #left: number;

  constructor(source: ByteSource, told: Told) {
    this.#source = source;
    this.#told = told;
    this.#left = told.size;
    this.entry = { ...told, bytes: () => this.#read() };
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    while (this.#left > 0) {
      const bytes = await this.#source.next(this.#left);
      if (bytes.length === 0) throw this.#cutOff();
      this.#left -= bytes.length;
      yield bytes;
    }
  }

  async skip(): Promise<void> {
    for await (const _bytes of this.#read());
    const padding = paddingOf(this.#told.size);
    // The last of an archive may lack it.
    await this.#source.take(padding);
  }

  #cutOff(): CodedError {
    const { name, size, offset } = this.#told;
    return new CodedError(
      'DATA_LOSS',
      `Archive ends inside "${shown(name)}" (entry at offset ${offset}): ${size - this.#left} of ${size} bytes`,
    );
  }
}

/** A name as messages quote it. */
export function shown(name: string): string {
  return name.length > 200 ? `${name.slice(0, 200)}…` : name;
}

function paddingOf(size: number): number {
  return (TAR_BLOCK_BYTES - (size % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.subarray(0, end < 0 ? bytes.length : end).toString('utf8');
}
