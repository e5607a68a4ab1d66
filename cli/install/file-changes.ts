/** Configuration files that an installation changes: read, shown, backed up, and replaced in one step. */
import { randomUUID } from 'node:crypto';
import {
  chmod,
  chown,
  copyFile,
  constants,
  mkdir,
  open,
  readFile,
  realpath,
  rename,
  stat,
  unlink,
} from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf, fromErrno } from '../../core/runtime/errors.ts';

export interface FileChange {
  readonly file: string;
  /** undefined = there is none. */
  readonly before: string | undefined;
  /** undefined = to be removed. */
  readonly after: string | undefined;
}

export interface Applied {
  readonly file: string;
  /** What was there before; undefined when nothing was. */
  readonly backup: string | undefined;
}

/** A file's text; undefined when there is none. @throws CodedError for anything else that keeps it from being read */
export async function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw fromErrno(error, `Reading "${file}"`);
  });
}

/**
 * Makes one change: a backup beside the file first, then the new text under another name, synced and renamed, so that
 * whoever reads it sees the old text or the new. Mode and owner stay; a link stays a link.
 * @throws CodedError
 */
export async function applyChange(change: FileChange, nowMs: number): Promise<Applied> {
  try {
    const file = await realpath(change.file).catch(() => change.file);
    await mkdir(dirname(file), { recursive: true });
    const backup = change.before === undefined ? undefined : await backUp(file, nowMs);
    if (change.after === undefined) await unlink(file);
    else await replace(file, change.after);
    await syncDirectory(dirname(file));
    return { file: change.file, backup };
  } catch (error) {
    throw fromErrno(error, `Writing "${change.file}"`);
  }
}

/** `config.toml.shoal-20261121T234500Z`, with a number behind it when that is taken. */
async function backUp(file: string, nowMs: number): Promise<string> {
  const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
  for (let count = 0; ; count += 1) {
    const name = `${file}.shoal-${stamp}${count === 0 ? '' : `-${count}`}`;
    try {
      await copyFile(file, name, constants.COPYFILE_EXCL);
      return name;
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }
}

async function replace(file: string, text: string): Promise<void> {
  const old = await stat(file).catch(() => undefined);
  const fresh = `${file}.${randomUUID()}.tmp`;
  const handle = await open(fresh, 'wx', old === undefined ? 0o644 : old.mode & 0o777);
  try {
    await handle.writeFile(text);
    await handle.sync();
    await handle.close();
    if (old !== undefined) {
      await chmod(fresh, old.mode & 0o7777);
      await chown(fresh, old.uid, old.gid);
    }
    await rename(fresh, file);
  } catch (error) {
    await handle.close().catch(() => undefined);
    await unlink(fresh).catch(() => undefined);
    throw error;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
