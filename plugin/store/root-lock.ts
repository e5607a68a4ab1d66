/** One daemon for one root. The kernel keeps the lock, so a killed process leaves nothing behind that must be judged. */
import { DatabaseSync } from 'node:sqlite';
import { CodedError, messageOf } from '../../core/runtime/errors.ts';

/** A lock that is held until `release`, or until the process ends, however it ends. */
export interface RootLock {
  release(): void;
}

/**
 * Takes the exclusive lock on `path`. Node has no `flock`; SQLite, which is part of Node, takes POSIX record locks on an
 * otherwise empty file, and those hold across containers that share the file.
 * @throws CodedError FAILED_PRECONDITION when another process (or another store of this one) holds it
 */
export function lockRoot(path: string): RootLock {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = OFF; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    const reason = `Lock "${path}" cannot be taken, another daemon seems to use this store: ${messageOf(error)}`;
    throw new CodedError('FAILED_PRECONDITION', reason, { cause: error });
  }
  return { release: () => database.isOpen && database.close() };
}
