/** What lies in a content directory, looked at from outside: containerd's layout and the node's own part of it. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { errnoOf } from '../../../core/runtime/errors.ts';

/** The digests that containerd holds. */
export function heldByContainerd(root: string): Promise<string[]> {
  return digestsIn(join(root, 'blobs/sha256'));
}

/** The digests that the cache keeps. */
export function heldByCache(root: string): Promise<string[]> {
  return digestsIn(join(root, 'shoal/cache'));
}

/** Files that are named after one digest and have another. */
export async function wrongBlobs(root: string): Promise<string[]> {
  const wrong: string[] = [];
  for (const folder of ['blobs/sha256', 'shoal/cache']) {
    for (const name of await namesIn(join(root, folder))) {
      const digest = await sha256OfFile(join(root, folder, name)).catch(ifAbsent(name));
      if (digest !== name) wrong.push(`${folder}/${name}`);
    }
  }
  return wrong;
}

/** Everything that is not whole: ingests, partial downloads, claims, trash. Empty when nothing is under way. */
export async function unfinished(root: string): Promise<string[]> {
  const folders = ['ingest', 'shoal/partial', 'shoal/claims', 'shoal/trash'];
  const names = await Promise.all(folders.map((folder) => namesIn(join(root, folder))));
  return folders.flatMap((folder, at) => (names[at] ?? []).map((name) => `${folder}/${name}`));
}

async function digestsIn(folder: string): Promise<string[]> {
  return (await namesIn(folder)).map((name) => `sha256:${name}`);
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).toSorted();
}

/** Garbage collection may take a file between the listing and the reading. */
function ifAbsent<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (errnoOf(error) === 'ENOENT') return instead;
    throw error;
  };
}

async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
