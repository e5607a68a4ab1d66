/** How far an order is, image by image, for those who ask what has changed. No disk, no socket. */
import type { ImageRow, OrderNews } from '../seed.ts';

type Change = Partial<Omit<ImageRow, 'image' | 'elapsedMs'>>;

const ENDS: ReadonlySet<ImageRow['state']> = new Set(['present', 'fetched', 'skipped', 'failed']);

export function isEnd({ state }: Pick<ImageRow, 'state'>): boolean {
  return ENDS.has(state);
}

interface Entry {
  row: ImageRow;
  revision: number;
}

export class OrderBoard {
  readonly #entries: Entry[];
  readonly #elapsedMs: () => number;
  #revision = 1;
  #left: number;
  #ended = Promise.withResolvers<void>();

  constructor(images: readonly Pick<ImageRow, 'bytesTotal' | 'blobsTotal'>[], elapsedMs: () => number) {
    this.#elapsedMs = elapsedMs;
    this.#left = images.length;
    const rest = { state: 'waiting', bytesPresent: 0, bytesFetched: 0, blobsVerified: 0 } as const;
    this.#entries = images.map((totals, image) => ({
      row: { image, ...totals, ...rest, isRetriable: false, elapsedMs: 0 },
      revision: 1,
    }));
  }

  get isDone(): boolean {
    return this.#left === 0;
  }

  row(image: number): ImageRow | undefined {
    return this.#entries[image]?.row;
  }

  /** Those at work. */
  active(): ImageRow[] {
    return this.#entries.flatMap(({ row }) => (row.state === 'waiting' || isEnd(row) ? [] : [row]));
  }

  /** What has ended does not change any more. */
  set(image: number, change: Change): void {
    const entry = this.#entries[image];
    if (entry === undefined || isEnd(entry.row) || isSame(entry.row, change)) return;
    entry.row = { ...entry.row, ...change, elapsedMs: Math.round(this.#elapsedMs()) };
    this.#revision += 1;
    entry.revision = this.#revision;
    if (!isEnd(entry.row)) return;
    this.#left -= 1;
    this.#ended.resolve();
    this.#ended = Promise.withResolvers();
  }

  /** Ends every image that has not. */
  endAll(change: Change): void {
    for (const { row } of this.#entries) this.set(row.image, change);
  }

  news(since: number): OrderNews {
    const rows = this.#entries.filter(({ revision }) => revision > since).map(({ row }) => row);
    return { revision: this.#revision, rows, isDone: this.isDone };
  }

  /** Whether something ended that one who knows `since` has not heard of. */
  hasEnded(since: number): boolean {
    return this.isDone || this.#entries.some(({ row, revision }) => revision > since && isEnd(row));
  }

  /** Resolves when the next one ends. */
  nextEnd(): Promise<void> {
    return this.#ended.promise;
  }
}

function isSame(row: ImageRow, change: Change): boolean {
  return Object.entries(change).every(([name, value]) => Reflect.get(row, name) === value);
}
