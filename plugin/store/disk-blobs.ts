/** Whole blobs on disk: opening them, and their holds as hard links. Links and index change in one tick. */
import { linkSync, renameSync, unlinkSync } from 'node:fs';
import { type FileHandle, open, utimes } from 'node:fs/promises';
import type { Digest } from '../../core/oci/digest.ts';
import { CodedError, errnoOf, fromErrno } from '../../core/runtime/errors.ts';
import type { BlobFacts, BlobIndex } from './blob-index.ts';
import type { OpenBytes } from './blob-store.ts';
import { orClosed, readAt } from './file-bytes.ts';
import type { LabelFiles } from './labels.ts';
import type { Layout } from './layout.ts';
import { blobFactsOf } from './open-root.ts';
import type { DirectorySyncer } from './sync-dir.ts';
import type { StoreTelemetry } from './telemetry.ts';
import type { Trash } from './trash.ts';

export type DirectHold = 'containerd' | 'cache';

/** Use times written to disk in one go of upkeep; the rest follow with the next. */
const USED_FLUSH_MAX = 2000;

export interface DiskBlobsDeps {
  layout: Layout;
  index: BlobIndex;
  syncer: DirectorySyncer;
  trash: Trash;
  labels: LabelFiles;
  telemetry: StoreTelemetry;
}

export class DiskBlobs {
  readonly #deps: DiskBlobsDeps;

  constructor(deps: DiskBlobsDeps) {
    this.#deps = deps;
  }

  async open(digest: Digest): Promise<OpenBytes> {
    for (const path of this.#pathsOf(digest)) {
      const handle = await openIfThere(path);
      if (handle !== undefined) return openBytes(handle, digest);
    }
    throw notHere(digest);
  }

  async hold(digest: Digest, hold: DirectHold): Promise<void> {
    if (this.#deps.index.stat(digest) === undefined) throw notHere(digest);
    this.linkHold(digest, hold);
    await this.#deps.syncer.sync(this.#deps.layout.holdDirectory(hold));
  }

  /** Links a blob that is here for one more hold, at once. @throws CodedError NOT_FOUND when its file is gone */
  linkHold(digest: Digest, hold: DirectHold): void {
    const { index, layout } = this.#deps;
    if (index.hasLink(digest, { hold })) return;
    const facts = this.linkTo(digest, layout.held(hold, digest));
    index.add(digest, { hold }, facts);
  }

  /** Links a blob's file to `path` from whichever link of it exists. @throws CodedError NOT_FOUND when none does */
  linkTo(digest: Digest, path: string): BlobFacts {
    const stat = this.#deps.index.stat(digest);
    for (const from of this.#pathsOf(digest)) {
      try {
        linkSync(from, path);
        return stat ?? blobFactsOf(path);
      } catch (error) {
        if (errnoOf(error) === 'EEXIST') return stat ?? blobFactsOf(path);
        if (errnoOf(error) !== 'ENOENT') throw fromErrno(error, `Link of "${from}" to "${path}" failed`);
      }
    }
    throw notHere(digest);
  }

  /** Takes one link away; the last one takes the blob away. Absent links are no error. */
  unlinkHold(digest: Digest, hold: DirectHold): void {
    const { index, layout } = this.#deps;
    if (!index.hasLink(digest, { hold })) return;
    const isGone = index.remove(digest, { hold });
    this.#removeLink(layout.held(hold, digest), isGone);
    if (isGone || hold === 'containerd') this.#deps.labels.forget(digest);
  }

  /** As `unlinkHold` for a pin's link. */
  unlinkPin(digest: Digest, name: string): void {
    const { index, layout } = this.#deps;
    if (!index.hasLink(digest, { pin: name })) return;
    const isGone = index.remove(digest, { pin: name });
    this.#removeLink(layout.pinned(name, digest), isGone);
    if (isGone) this.#deps.labels.forget(digest);
  }

  /**
   * Makes proven, synced bytes a blob: renames `dataPath` to the first of `holds` and links the others.
   * @returns directories to sync before anyone is promised anything
   */
  publish(dataPath: string, blob: { digest: Digest; facts: BlobFacts }, holds: readonly DirectHold[]): string[] {
    const { index, layout } = this.#deps;
    const [first, ...others] = holds;
    if (first === undefined) throw new CodedError('INVALID_ARGUMENT', `Commit of "${blob.digest}" names no hold`);
    const target = layout.held(first, blob.digest);
    try {
      renameSync(dataPath, target);
    } catch (error) {
      throw fromErrno(error, `Rename of "${dataPath}" to "${target}" failed`);
    }
    index.add(blob.digest, { hold: first }, blob.facts);
    for (const hold of others) this.#linkIfPossible(blob.digest, hold);
    return holds.map((hold) => layout.holdDirectory(hold));
  }

  /** The blob is whole and held: a full directory that takes no further link does not undo that. */
  #linkIfPossible(digest: Digest, hold: DirectHold): void {
    try {
      this.linkHold(digest, hold);
    } catch (error) {
      this.#deps.telemetry.aside(`${hold} link`, error);
    }
  }

  /** Writes use times to disk as access times; modification times stay what they are. */
  async flushUsed(): Promise<void> {
    for (const stat of this.#deps.index.takeUsed(USED_FLUSH_MAX)) {
      const [path] = this.#pathsOf(stat.digest);
      if (path === undefined) continue;
      await utimes(path, stat.usedAtMs / 1000, stat.createdAtMs / 1000).catch(() => undefined);
    }
  }

  #pathsOf(digest: Digest): string[] {
    const { index, layout } = this.#deps;
    const direct: DirectHold[] = ['containerd', 'cache'];
    return [
      ...direct.filter((hold) => index.hasLink(digest, { hold })).map((hold) => layout.held(hold, digest)),
      ...index.pinsOf(digest).map((name) => layout.pinned(name, digest)),
    ];
  }

  /** The last link frees the blocks, which takes long for a large blob: that goes through the trash. */
  #removeLink(path: string, isLast: boolean): void {
    if (isLast) {
      this.#deps.trash.discard(path);
      return;
    }
    try {
      unlinkSync(path);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw fromErrno(error, `Removal of "${path}" failed`);
    }
  }
}

function notHere(digest: Digest): CodedError {
  return new CodedError('NOT_FOUND', `Blob "${digest}" is not in this store`);
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw fromErrno(error, `Open of "${path}" failed`);
  }
}

async function openBytes(handle: FileHandle, digest: Digest): Promise<OpenBytes> {
  const { size } = await orClosed(handle, () => handle.stat());
  return {
    size,
    read: async (into, offset) => {
      try {
        return await readAt(handle, into, offset);
      } catch (error) {
        throw fromErrno(error, `Read of "${digest}" at ${offset} failed`);
      }
    },
    close: () => handle.close(),
  };
}
