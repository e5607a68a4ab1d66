/** File handles for many files with few descriptors: opened when used, the longest unused closed when there are too many. */
import { type FileHandle, open } from 'node:fs/promises';

interface Entry {
  readonly opening: Promise<FileHandle>;
  users: number;
}

export class HandlePool {
  readonly #countMax: number;
  readonly #entries = new Map<string, Entry>();
  readonly #waiting: Array<() => void> = [];

  /** At most `countMax` files are open at once; more uses at the same time wait. */
  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  get count(): number {
    return this.#entries.size;
  }

  /** Runs `work` with an open handle (reading and writing) of an existing file. */
  async use<T>(path: string, work: (handle: FileHandle) => Promise<T>): Promise<T> {
    const entry = await this.#entry(path);
    try {
      return await work(await entry.opening);
    } catch (error) {
      await this.#dropFailedOpen(path, entry);
      throw error;
    } finally {
      entry.users -= 1;
      if (entry.users === 0) this.#waiting.shift()?.();
    }
  }

  /** Closes a file's handle; nothing uses it any more. */
  async close(path: string): Promise<void> {
    const entry = this.#entries.get(path);
    if (entry === undefined) return;
    this.#entries.delete(path);
    this.#waiting.shift()?.();
    await closeQuietly(entry);
  }

  async closeAll(): Promise<void> {
    for (const path of [...this.#entries.keys()]) await this.close(path);
  }

  async #entry(path: string): Promise<Entry> {
    for (;;) {
      const known = this.#entries.get(path);
      if (known !== undefined) {
        known.users += 1;
        this.#entries.delete(path);
        this.#entries.set(path, known);
        return known;
      }
      if (this.#entries.size < this.#countMax) return this.#open(path);
      await this.#makeRoom();
    }
  }

  #open(path: string): Entry {
    const entry = { opening: open(path, 'r+'), users: 1 };
    entry.opening.catch(() => undefined);
    this.#entries.set(path, entry);
    return entry;
  }

  async #makeRoom(): Promise<void> {
    for (const [path, entry] of this.#entries) {
      if (entry.users > 0) continue;
      this.#entries.delete(path);
      return closeQuietly(entry);
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async #dropFailedOpen(path: string, entry: Entry): Promise<void> {
    const isOpen = await entry.opening.then(
      () => true,
      () => false,
    );
    if (!isOpen && this.#entries.get(path) === entry) this.#entries.delete(path);
  }
}

async function closeQuietly(entry: Entry): Promise<void> {
  const handle = await entry.opening.catch(() => undefined);
  await handle?.close().catch(() => undefined);
}
