/** Small files of bookkeeping: written aside and renamed, so that a kill leaves the old one or the new one. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';

/** Replaces `path` atomically, without syncing. `aside` is a free name on the same file system. */
export function replaceFileSync(path: string, aside: string, content: string | Uint8Array): void {
  try {
    writeFileSync(aside, content, { mode: 0o644 });
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}

/** Replaces `path` atomically; with `sync` its bytes are durable first (its name only after a sync of the directory). */
export async function replaceFile(options: {
  path: string;
  aside: string;
  content: string | Uint8Array;
  sync: boolean;
}): Promise<void> {
  try {
    await writeAside(options);
    await rename(options.aside, options.path);
  } catch (error) {
    await rm(options.aside, { force: true });
    throw error;
  }
}

async function writeAside(options: { aside: string; content: string | Uint8Array; sync: boolean }): Promise<void> {
  const handle = await open(options.aside, 'w', 0o644);
  try {
    await handle.writeFile(options.content);
    if (options.sync) await handle.sync();
  } finally {
    await handle.close();
  }
}
