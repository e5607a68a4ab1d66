/**
 * Manifests and configs of earlier runs on disk, so that a run of its own process asks registries by HEAD only for what has not changed.
 * Named by digest and proven by it when read; losing all of it costs a few requests.
 */
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOf, hexOf } from '../../core/oci/digest.ts';
import type { ManifestShelf } from '../images/images.ts';

/** Some thousand images of a few platforms. */
const FILES_MAX = 16_384;
/** Larger ones are fetched anew. */
const BYTES_MAX = 256 * 1024;

export function createManifestShelf(folder: string): ManifestShelf {
  let opened: Promise<void> | undefined;
  return {
    async get(digest) {
      const file = join(folder, hexOf(digest));
      const bytes = await readFile(file).catch(() => undefined);
      if (bytes === undefined || digestOf(bytes) !== digest) return undefined;
      const now = new Date();
      await utimes(file, now, now).catch(() => undefined);
      return bytes;
    },
    async keep(digest: Digest, bytes: Buffer) {
      if (bytes.length > BYTES_MAX) return;
      opened ??= open(folder);
      await opened;
      const file = join(folder, hexOf(digest));
      // Whole or not there: another process may look.
      await writeFile(`${file}.new`, bytes, { mode: 0o600 })
        .then(() => rename(`${file}.new`, file))
        .catch(() => rm(`${file}.new`, { force: true }).catch(() => undefined));
    },
  };
}

/** Once a process: what was longest unused goes when it is too much. */
async function open(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    const names = await readdir(folder);
    if (names.length <= FILES_MAX) return;
    const used = await Promise.all(
      names.map(async (name) => ({
        name,
        usedMs: await stat(join(folder, name)).then(
          ({ mtimeMs }) => mtimeMs,
          () => 0,
        ),
      })),
    );
    used.sort((a, b) => a.usedMs - b.usedMs);
    const spare = used.slice(0, names.length - Math.floor(FILES_MAX / 2));
    for (const { name } of spare) await rm(join(folder, name), { force: true });
  } catch {
    // Nothing is kept then.
  }
}
