/** The memory index of whole blobs: what the directories say, kept in step with them. Touches no file. */
import type { Digest } from '../../core/oci/digest.ts';
import type { BlobStat, Hold } from './blob-store.ts';

/** One blob; changed only by `BlobIndex`. */
interface BlobRecord {
  readonly digest: Digest;
  size: number;
  containerd: boolean;
  cache: boolean;
  /** Names of the pins that hold it, with their ends; undefined for the many that have none. */
  pins: Map<string, number> | undefined;
  createdAtMs: number;
  usedAtMs: number;
  /** Used since its time was last written to disk. */
  usedDirty: boolean;
}

/** What is known of a blob's file when a hold is added. */
export interface BlobFacts {
  readonly size: number;
  readonly createdAtMs: number;
  readonly usedAtMs: number;
}

/** A link that exists on disk. */
export type Link = { readonly hold: 'containerd' | 'cache' } | { readonly pin: string; readonly untilMs: number };

export class BlobIndex {
  readonly #records = new Map<Digest, BlobRecord>();
  readonly #now: () => number;
  readonly #onChange: (digest: Digest) => void;
  #cacheOnlyBytes = 0;

  /** `onChange` is told when a blob's first link came and when its last one went. */
  constructor(now: () => number, onChange: (digest: Digest) => void = () => undefined) {
    this.#now = now;
    this.#onChange = onChange;
  }

  get count(): number {
    return this.#records.size;
  }

  /** Bytes of blobs that only the cache keeps: what the capacity counts. Pins that ended but are not yet removed still count as holds. */
  get cacheOnlyBytes(): number {
    return this.#cacheOnlyBytes;
  }

  stat(digest: Digest): BlobStat | undefined {
    const record = this.#records.get(digest);
    return record === undefined ? undefined : this.#statOf(record);
  }

  /** Every blob that some hold keeps, as of now. */
  list(hold?: Hold): BlobStat[] {
    const stats: BlobStat[] = [];
    for (const record of this.#records.values()) {
      const stat = this.#statOf(record);
      if (stat !== undefined && (hold === undefined || stat.holds.has(hold))) stats.push(stat);
    }
    return stats;
  }

  /** True when the link exists, also that of a pin which has ended. */
  hasLink(digest: Digest, link: { hold: 'containerd' | 'cache' } | { pin: string }): boolean {
    const record = this.#records.get(digest);
    if (record === undefined) return false;
    return 'hold' in link ? record[link.hold] : record.pins?.has(link.pin) === true;
  }

  /** Names of the pins whose links exist. */
  pinsOf(digest: Digest): string[] {
    return [...(this.#records.get(digest)?.pins?.keys() ?? [])];
  }

  add(digest: Digest, link: Link, facts: BlobFacts): void {
    const known = this.#records.get(digest);
    const record = known ?? this.#create(digest, facts);
    this.#change(record, () => {
      if ('hold' in link) record[link.hold] = true;
      else record.pins = (record.pins ?? new Map()).set(link.pin, link.untilMs);
    });
    if (known === undefined) this.#onChange(digest);
  }

  /** Takes one link away. Returns true when it was the last: the blob is no longer here. */
  remove(digest: Digest, link: { hold: 'containerd' | 'cache' } | { pin: string }): boolean {
    const record = this.#records.get(digest);
    if (record === undefined) return false;
    this.#change(record, () => {
      if ('hold' in link) record[link.hold] = false;
      else record.pins?.delete(link.pin);
    });
    if (record.pins?.size === 0) record.pins = undefined;
    if (hasAnyLink(record)) return false;
    this.#records.delete(digest);
    this.#onChange(digest);
    return true;
  }

  touch(digest: Digest): void {
    const record = this.#records.get(digest);
    if (record === undefined) return;
    record.usedAtMs = this.#now();
    record.usedDirty = true;
  }

  /** Blobs used since the last call, at most `countMax`. */
  takeUsed(countMax: number): BlobStat[] {
    const used: BlobStat[] = [];
    for (const record of this.#records.values()) {
      if (used.length >= countMax) break;
      if (!record.usedDirty) continue;
      record.usedDirty = false;
      const stat = this.#statOf(record);
      if (stat !== undefined) used.push(stat);
    }
    return used;
  }

  /** Bytes that each hold keeps; a blob with several holds counts in each. */
  bytesByHold(): Record<Hold, number> {
    const bytes = { containerd: 0, cache: 0, pin: 0 };
    for (const record of this.#records.values()) {
      if (record.containerd) bytes.containerd += record.size;
      if (record.cache) bytes.cache += record.size;
      if (record.pins !== undefined) bytes.pin += record.size;
    }
    return bytes;
  }

  #create(digest: Digest, facts: BlobFacts): BlobRecord {
    const record = { digest, ...facts, containerd: false, cache: false, pins: undefined, usedDirty: false };
    this.#records.set(digest, record);
    return record;
  }

  #change(record: BlobRecord, apply: () => void): void {
    const before = cacheOnlyBytes(record);
    apply();
    this.#cacheOnlyBytes += cacheOnlyBytes(record) - before;
  }

  #statOf(record: BlobRecord): BlobStat | undefined {
    const holds = HOLD_SETS[holdBits(record, this.#now)];
    if (holds === undefined || holds.size === 0) return undefined;
    const { digest, size, createdAtMs, usedAtMs } = record;
    return { digest, size, holds, createdAtMs, usedAtMs };
  }
}

/** The eight sets of holds, made once: answers are frequent and sets are not cheap. */
const HOLD_SETS: ReadonlyArray<ReadonlySet<Hold>> = Array.from({ length: 8 }, (_, bits) => {
  const all: Hold[] = ['containerd', 'cache', 'pin'];
  return new Set(all.filter((_hold, bit) => (bits & (1 << bit)) !== 0));
});

function holdBits(record: BlobRecord, now: () => number): number {
  return (record.containerd ? 1 : 0) | (record.cache ? 2 : 0) | (isPinned(record, now) ? 4 : 0);
}

function isPinned(record: BlobRecord, now: () => number): boolean {
  if (record.pins === undefined) return false;
  const time = now();
  for (const untilMs of record.pins.values()) if (untilMs > time) return true;
  return false;
}

function hasAnyLink(record: BlobRecord): boolean {
  return record.containerd || record.cache || record.pins !== undefined;
}

function cacheOnlyBytes(record: BlobRecord): number {
  const isCacheOnly = record.cache && !record.containerd && (record.pins === undefined || record.pins.size === 0);
  return isCacheOnly ? record.size : 0;
}
