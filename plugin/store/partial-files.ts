/** One download's directory: `data` (of the blob's full length) and `pieces` (which of them are whole). */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOfHex } from '../../core/oci/digest.ts';
import { decodePieces, encodePieces, type PieceRecord } from './piece-bitmap.ts';
import { orClosed } from './file-bytes.ts';
import { replaceFile } from './small-file.ts';

export function partialDataPath(directory: string): string {
  return join(directory, 'data');
}

/** What a download's directory says. */
export interface PartialFacts {
  digest: Digest;
  pieces: PieceRecord;
  /** When bytes came last; milliseconds since the epoch. */
  usedAtMs: number;
}

/** Makes the directory; `pieces` comes last, since a directory without it is no download. */
export async function createPartial(directory: string, pieces: PieceRecord, aside: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const handle = await open(partialDataPath(directory), 'w', 0o644);
  try {
    // Preallocated lengths make writes at offsets half as fast again.
    await handle.truncate(pieces.sizeBytes);
  } finally {
    await handle.close();
  }
  await writePieces(directory, pieces, aside);
}

export async function openPartialData(directory: string): Promise<FileHandle> {
  return orClosed(await open(partialDataPath(directory), 'r+'), async (handle) => {
    // A commit that failed after its bytes became read-only leaves them so.
    await handle.chmod(0o644);
    return handle;
  });
}

/** The caller has synced `data` first, so a bitmap never promises bytes that a power cut may take. */
export function writePieces(directory: string, pieces: PieceRecord, aside: string): Promise<void> {
  return replaceFile({ path: join(directory, 'pieces'), aside, content: encodePieces(pieces), sync: false });
}

/** Every directory below `partial/`, with what it says; undefined facts for what is no download. */
export function* readPartials(root: string): Generator<{ directory: string; facts: PartialFacts | undefined }> {
  for (const name of readdirSync(root)) {
    const directory = join(root, name);
    const digest = digestOfHex(name);
    yield { directory, facts: digest === undefined ? undefined : readPartial(directory, digest) };
  }
}

function readPartial(directory: string, digest: Digest): PartialFacts | undefined {
  try {
    const data = statSync(partialDataPath(directory));
    const pieces = decodePieces(readFileSync(join(directory, 'pieces')));
    if (pieces === undefined || data.size !== pieces.sizeBytes) return undefined;
    return { digest, pieces, usedAtMs: data.mtimeMs };
  } catch {
    return undefined;
  }
}
