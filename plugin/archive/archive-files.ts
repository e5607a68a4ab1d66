/** The entries of an archive, each to its place: blobs into the store, what describes them into memory. */
import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { readTar, shown, type TarEntry } from './tar-reader.ts';
import { MAGIC_BYTES, packingOf, type Packing, unpacked } from './unpacked.ts';
import { type Digest, digestOf, digestOfHex } from '../../core/oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../../core/oci/manifest.ts';
import { CodedError, codeOf, messageOf } from '../../core/runtime/errors.ts';
import { keepProven } from '../content/keep-proven.ts';
import { type BlobWriterDeps, keepNamed, keepUnnamed } from './blob-writer.ts';

/** Descriptions held in memory at once: configs of thousands of images. */
const TEXT_BYTES_MAX = 64 * 1024 * 1024;
const LINKS_MAX = 100_000;
const LINK_DEPTH_MAX = 16;
const OCI_BLOB = /^blobs\/sha256\/([0-9a-f]{64})$/;
const OTHER_BLOB = /^blobs\/([^/]+)\/[^/]+$/;
const DOCKER_CONFIG = /^([0-9a-f]{64})\.json$/;
const DOCKER_LAYER = /(?:^|\/)[^/]+\.tar(?:\.gz|\.zst)?$/;
const DESCRIPTIONS = new Set(['index.json', 'manifest.json', 'oci-layout']);

/** A blob of the archive, in the store by now. */
export interface ArchiveBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly packing: Packing;
}

export interface StoredEntry extends ArchiveBlob {
  readonly entry: string;
  readonly isNew: boolean;
}

/** What an archive held, once all of it was read. */
export class ArchiveFiles {
  readonly #blobs = new Map<string, ArchiveBlob>();
  readonly #texts = new Map<string, Buffer>();
  readonly #links = new Map<string, string>();
  #textBytes = 0;

  /** Through links, as archives of older dockers share layers. */
  blobAt(path: string): ArchiveBlob | undefined {
    return this.#blobs.get(this.#resolved(path));
  }

  textAt(path: string): Buffer | undefined {
    return this.#texts.get(this.#resolved(path));
  }

  addBlob(path: string, blob: ArchiveBlob): void {
    this.#blobs.set(path, blob);
  }

  addText(path: string, text: Buffer): void {
    this.#textBytes += text.length;
    if (this.#textBytes > TEXT_BYTES_MAX)
      throw new CodedError('RESOURCE_EXHAUSTED', `Archive describes itself with more than ${TEXT_BYTES_MAX} bytes`);
    this.#texts.set(path, text);
  }

  addLink({ name, target, isHardLink }: TarEntry): void {
    if (this.#links.size >= LINKS_MAX)
      throw new CodedError('RESOURCE_EXHAUSTED', `Archive has more than ${LINKS_MAX} links`);
    this.#links.set(name, isHardLink ? posix.normalize(target) : posix.join(posix.dirname(name), target));
  }

  #resolved(path: string): string {
    let at = posix.normalize(path);
    for (let depth = 0; depth < LINK_DEPTH_MAX; depth += 1) {
      const next = this.#links.get(at);
      if (next === undefined) break;
      at = next;
    }
    return at;
  }
}

/**
 * Reads the whole archive; tells each blob when the store has it, proven.
 * @throws CodedError naming the entry and its offset: DATA_LOSS (cut off, not its digest), INVALID_ARGUMENT, RESOURCE_EXHAUSTED (a full disk)
 */
export async function* readFiles(
  deps: BlobWriterDeps,
  archive: AsyncIterable<Uint8Array>,
  { files, signal }: { files: ArchiveFiles; signal: AbortSignal },
): AsyncGenerator<StoredEntry, void> {
  for await (const entry of readTar(unpacked(archive))) {
    signal.throwIfAborted();
    try {
      const stored = await takeEntry(deps, entry, { files, signal });
      if (stored !== undefined) yield { ...stored, entry: entry.name };
    } catch (error) {
      throw placed(entry, error);
    }
  }
}

type Taken = ArchiveBlob & { isNew: boolean };

async function takeEntry(
  deps: BlobWriterDeps,
  entry: TarEntry,
  { files, signal }: { files: ArchiveFiles; signal: AbortSignal },
): Promise<Taken | undefined> {
  const { name, kind } = entry;
  if (kind === 'link') files.addLink(entry);
  if (kind !== 'file') return undefined;
  if (DESCRIPTIONS.has(name)) {
    files.addText(name, await textOf(entry));
    return undefined;
  }
  const config = DOCKER_CONFIG.exec(name)?.[1];
  if (config !== undefined) return takeConfig(deps, entry, { files, signal, digest: digestOfHex(config) });
  const taken = await takeBlob(deps, entry, signal);
  if (taken !== undefined) files.addBlob(name, taken);
  return taken;
}

async function takeBlob(deps: BlobWriterDeps, entry: TarEntry, signal: AbortSignal): Promise<Taken | undefined> {
  const named = digestOfHex(OCI_BLOB.exec(entry.name)?.[1] ?? '');
  const start: Uint8Array[] = [];
  const bytes = remembering(entry.bytes(), start);
  const packing = () => packingOf(Buffer.concat(start));
  if (named !== undefined) {
    const isNew = await keepNamed(deps, { digest: named, size: entry.size, bytes }, { signal });
    return { digest: named, size: entry.size, packing: packing(), isNew };
  }
  const algorithm = OTHER_BLOB.exec(entry.name)?.[1];
  if (algorithm !== undefined && algorithm !== 'sha256')
    throw new CodedError('INVALID_ARGUMENT', `Its digest is ${shown(algorithm)}; blobs are kept by sha256 only`);
  if (!DOCKER_LAYER.test(entry.name)) return undefined;
  const { digest, isNew } = await keepUnnamed(
    deps,
    { ref: `import/${randomUUID()}`, size: entry.size, bytes },
    { signal },
  );
  return { digest, size: entry.size, packing: packing(), isNew };
}

/** A config of `docker save`: small, named by its digest, and needed in memory for what it says of its layers. */
async function takeConfig(
  deps: BlobWriterDeps,
  entry: TarEntry,
  { files, signal, digest }: { files: ArchiveFiles; signal: AbortSignal; digest: Digest | undefined },
): Promise<Taken> {
  const bytes = await textOf(entry);
  const found = digestOf(bytes);
  if (digest !== found) throw new CodedError('DATA_LOSS', `Its bytes are "${found}"`);
  const isNew = deps.store.stat(found) === undefined;
  await keepProven(deps, { descriptor: { mediaType: '', digest: found, size: bytes.length }, bytes }, { signal });
  files.addText(entry.name, bytes);
  const blob = { digest: found, size: bytes.length, packing: 'none' } as const;
  files.addBlob(entry.name, blob);
  return { ...blob, isNew };
}

async function textOf(entry: TarEntry): Promise<Buffer> {
  if (entry.size > MAX_MANIFEST_BYTES)
    throw new CodedError('INVALID_ARGUMENT', `It has ${entry.size} bytes, ${MAX_MANIFEST_BYTES} at most`);
  const parts: Buffer[] = [];
  for await (const part of entry.bytes()) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

/** Notes how the bytes begin while they pass. */
async function* remembering(bytes: AsyncIterable<Uint8Array>, start: Uint8Array[]): AsyncGenerator<Uint8Array> {
  let known = 0;
  for await (const part of bytes) {
    if (known < MAGIC_BYTES) {
      start.push(Buffer.from(part.subarray(0, MAGIC_BYTES)));
      known += part.length;
    }
    yield part;
  }
}

function placed({ name, offset }: TarEntry, error: unknown): unknown {
  if (codeOf(error) === 'CANCELLED' || messageOf(error).includes(`offset ${offset})`)) return error;
  return new CodedError(codeOf(error), `"${shown(name)}" (entry at offset ${offset}): ${messageOf(error)}`, {
    cause: error,
  });
}
