/** Syncing directories, so that a rename or a link in them survives a power cut. */
import { open } from 'node:fs/promises';

/** Syncs one directory now. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Syncs directories; callers that ask while a sync runs share the next one, since theirs may have come too late. */
export class DirectorySyncer {
  readonly #sync: (path: string) => Promise<void>;
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  constructor(sync: (path: string) => Promise<void> = syncDirectory) {
    this.#sync = sync;
  }

  /** Resolves when everything that was in `path` at the time of the call is durable. */
  sync(path: string): Promise<void> {
    const next = this.#next.get(path);
    if (next !== undefined) return next;
    const running = this.#running.get(path);
    if (running === undefined) return this.#begin(path);
    const after = running
      .catch(() => undefined)
      .then(() => {
        this.#next.delete(path);
        return this.#begin(path);
      });
    this.#next.set(path, after);
    return after;
  }

  #begin(path: string): Promise<void> {
    const running = this.#sync(path).finally(() => {
      if (this.#running.get(path) === running) this.#running.delete(path);
    });
    this.#running.set(path, running);
    return running;
  }
}
