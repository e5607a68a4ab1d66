/** Opening a root: its directories, a proof that hard links work in it, and the blobs that are there. */
import { closeSync, linkSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { digestOfHex } from '../../core/oci/digest.ts';
import { CodedError, errnoOf, fromErrno } from '../../core/runtime/errors.ts';
import type { BlobFacts, BlobIndex } from './blob-index.ts';
import type { Layout } from './layout.ts';

/** Not a digest, so neither store takes it for a blob. */
const PROBE_NAME = '.shoal-probe';

/** Blobs read between two turns of the event loop. */
const BLOBS_A_TURN = 1000;

/** Makes what is missing and tries to write. @throws CodedError FAILED_PRECONDITION for a directory that cannot be written */
export function makeDirectories(layout: Layout): void {
  for (const directory of layout.directories()) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o755 });
    } catch (error) {
      throw refused(error, `Directory "${directory}" cannot be made`);
    }
  }
  const probe = join(layout.trash, `${PROBE_NAME}.${process.pid}`);
  try {
    closeSync(openSync(probe, 'w'));
  } catch (error) {
    throw refused(error, `Store "${layout.root}" cannot be written`);
  }
  removeQuietly(probe);
}

/**
 * Links a file from `shoal/` into `blobs/` and takes it away again: bind mounts of one file system look alike to `stat`,
 * but links do not cross them.
 * @throws CodedError FAILED_PRECONDITION
 */
export function probeHardLink(layout: Layout): void {
  const from = join(layout.cache, PROBE_NAME);
  const to = join(layout.blobs, PROBE_NAME);
  try {
    rmSync(to, { force: true });
    closeSync(openSync(from, 'w'));
    linkSync(from, to);
  } catch (error) {
    const isTwoMounts = errnoOf(error) === 'EXDEV';
    const reason = isTwoMounts ? 'they are different mounts and holds are hard links' : 'the store cannot be written';
    throw refused(error, `Hard link from "${layout.cache}" to "${layout.blobs}" failed, ${reason}`);
  } finally {
    for (const path of [to, from]) removeQuietly(path);
  }
}

/** Puts every blob that containerd or the cache holds into the index. Names that are no digest are passed over. */
export async function loadBlobs(layout: Layout, index: BlobIndex): Promise<void> {
  for (const hold of ['containerd', 'cache'] as const) await loadHold(layout, index, hold);
}

async function loadHold(layout: Layout, index: BlobIndex, hold: 'containerd' | 'cache'): Promise<void> {
  const directory = layout.holdDirectory(hold);
  let count = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const digest = digestOfHex(entry.name);
    if (digest === undefined || !entry.isFile()) continue;
    index.add(digest, { hold }, index.stat(digest) ?? blobFactsOf(join(directory, entry.name)));
    count += 1;
    if (count % BLOBS_A_TURN === 0) await nextTurn();
  }
}

/** Size and times of a blob's file. */
export function blobFactsOf(path: string): BlobFacts {
  const stat = statSync(path);
  return { size: stat.size, createdAtMs: stat.mtimeMs, usedAtMs: Math.max(stat.atimeMs, stat.mtimeMs) };
}

function refused(error: unknown, action: string): CodedError {
  const coded = fromErrno(error, action);
  return coded.code === 'INTERNAL' || coded.code === 'RESOURCE_EXHAUSTED'
    ? coded
    : new CodedError('FAILED_PRECONDITION', coded.message, { cause: error });
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // A read-only directory: the probe has said so already.
  }
}
