/**
 * A directory for one daemon of a test. Short, because a unix socket's path may have 107 bytes, and on the disk's file
 * system, where overlayfs works, unless TMPDIR says otherwise.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes `<tmp>/<prefix>XXXXXX`. */
export function makeTestDirectory(prefix: string): Promise<string> {
  return mkdtemp(join(tmpdir(), prefix));
}

/** Removes it with all that is in it. */
export async function removeTestDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
}
