/**
 * Removing by renaming first: what is removed disappears at once and whole, and freeing its blocks (slow for
 * large files) happens off the main thread. What a kill leaves in the trash goes at the next start.
 */
import { renameSync, rmSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../core/runtime/errors.ts';

export class Trash {
  readonly #directory: string;
  readonly #removing = new Set<Promise<void>>();
  #count = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** A name in the trash that nothing has, for building something aside before it is renamed into place. */
  freshPath(): string {
    this.#count += 1;
    return join(this.#directory, `${process.pid}.${this.#count}`);
  }

  /**
   * Takes a file or directory away. Absent ones are no error. It is gone from its place when the call returns; the promise of `settled` waits
   * for the space.
   */
  discard(path: string): void {
    const target = this.freshPath();
    try {
      renameSync(path, target);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return;
      // A full disk may have no room for the new name: then removing in place is what is left.
      rmSync(path, { recursive: true, force: true });
      return;
    }
    const removing = rm(target, { recursive: true, force: true })
      .catch(() => undefined)
      .then(() => {
        this.#removing.delete(removing);
      });
    this.#removing.add(removing);
  }

  /** Removes what earlier processes left. */
  async empty(): Promise<void> {
    const names = await readdir(this.#directory);
    for (const name of names) await rm(join(this.#directory, name), { recursive: true, force: true });
  }

  /** Resolves when everything discarded so far has given its space back. */
  async settled(): Promise<void> {
    await Promise.all(this.#removing);
  }
}
