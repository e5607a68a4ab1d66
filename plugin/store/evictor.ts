/** Keeps the cache within its share of the disk. Decisions are made in `eviction.ts`. */
import { CodedError } from '../../core/runtime/errors.ts';
import type { BlobIndex } from './blob-index.ts';
import type { ClaimFiles } from './claims.ts';
import type { DiskBlobs } from './disk-blobs.ts';
import { bytesToEvict, chooseVictims, type EvictionCandidate } from './eviction.ts';
import type { Partials } from './partials.ts';
import { Serial } from './serial.ts';
import type { StoreLimits } from './store.ts';
import type { StoreTelemetry } from './telemetry.ts';
import type { Trash } from './trash.ts';

export interface EvictorDeps {
  index: BlobIndex;
  blobs: DiskBlobs;
  partials: Partials;
  claims: ClaimFiles;
  trash: Trash;
  limits: StoreLimits;
  telemetry: StoreTelemetry;
  /** Bytes that the file system has left for us. */
  freeBytes: () => Promise<number>;
}

export class Evictor {
  readonly #deps: EvictorDeps;
  readonly #serial = new Serial();
  #asked: Promise<void> | undefined;

  constructor(deps: EvictorDeps) {
    this.#deps = deps;
  }

  /** After a commit or a release: checks the watermark, which costs nothing, and evicts aside when it is passed. */
  soon(): void {
    if (bytesToEvict({ usedBytes: this.#usedBytes(), missingFreeBytes: 0 }, this.#deps.limits) === 0) return;
    this.#asked ??= this.check()
      .catch((error: unknown) => this.#deps.telemetry.upkeepFailed(error))
      .finally(() => {
        this.#asked = undefined;
      });
  }

  /** Brings the cache below its watermark and the file system above `min_free`, as far as eviction can. */
  check(): Promise<void> {
    return this.#serial.run(async () => {
      const missingFreeBytes = await this.#missingFreeBytes(0);
      this.#evict(bytesToEvict({ usedBytes: this.#usedBytes(), missingFreeBytes }, this.#deps.limits));
    });
  }

  /**
   * Makes room for a download of `bytes` beside `min_free` and what open downloads have still to write. `onRoom` is called
   * before anyone else is given room: it counts these bytes among the promised ones.
   * @throws CodedError RESOURCE_EXHAUSTED when eviction cannot free enough
   */
  makeRoom(bytes: number, onRoom: () => void): Promise<void> {
    return this.#serial.run(async () => {
      const missing = await this.#missingFreeBytes(bytes);
      if (missing > 0) await this.#evictFor(bytes, missing);
      onRoom();
    });
  }

  /** The disk is full: frees at least `bytes` if anything can go. False when nothing could. */
  freeSpace(bytes: number): Promise<boolean> {
    return this.#serial.run(async () => {
      const freed = this.#evict(Math.max(bytes, await this.#missingFreeBytes(bytes)));
      await this.#deps.trash.settled();
      return freed > 0;
    });
  }

  /** Leaves at most `bytes` that only the cache keeps. Resolves with the bytes that went. */
  evictTo(bytes: number): Promise<number> {
    return this.#serial.run(async () => {
      const freed = this.#evict(this.#usedBytes() - bytes);
      await this.#deps.trash.settled();
      return freed;
    });
  }

  async #evictFor(bytes: number, missing: number): Promise<void> {
    this.#evict(missing);
    await this.#deps.trash.settled();
    const still = await this.#missingFreeBytes(bytes);
    if (still <= 0) return;
    const reason = `Room for ${bytes} bytes cannot be made: ${still} bytes are missing beside "min_free"`;
    throw new CodedError('RESOURCE_EXHAUSTED', reason);
  }

  #usedBytes(): number {
    let bytes = this.#deps.index.cacheOnlyBytes;
    for (const partial of this.#deps.partials.list()) if (!partial.isOpen) bytes += partial.bytesPresent;
    return bytes;
  }

  async #missingFreeBytes(coming: number): Promise<number> {
    const { freeBytes, limits, partials } = this.#deps;
    return coming + partials.promisedBytes + limits.minFreeBytes - (await freeBytes());
  }

  *#candidates(): Generator<EvictionCandidate> {
    for (const { digest, size, holds, usedAtMs } of this.#deps.index.list('cache')) {
      if (holds.size === 1) yield { kind: 'blob', digest, bytes: size, usedAtMs };
    }
    for (const { digest, bytesPresent, isOpen, usedAtMs } of this.#deps.partials.list()) {
      // containerd was told that this blob is here: its bytes are not for the taking.
      const isWanted = isOpen || this.#deps.claims.get(digest) !== undefined;
      if (!isWanted) yield { kind: 'partial', digest, bytes: bytesPresent, usedAtMs };
    }
  }

  #evict(bytes: number): number {
    const victims = chooseVictims(this.#candidates(), bytes);
    let freed = 0;
    let blobs = 0;
    for (const victim of victims) {
      if (!this.#take(victim)) continue;
      freed += victim.bytes;
      if (victim.kind === 'blob') blobs += 1;
    }
    if (victims.length > 0) this.#deps.telemetry.evicted({ blobs, partials: victims.length - blobs, bytes: freed });
    return freed;
  }

  #take(victim: EvictionCandidate): boolean {
    try {
      if (victim.kind === 'blob') this.#deps.blobs.unlinkHold(victim.digest, 'cache');
      else this.#deps.partials.drop(victim.digest);
      return true;
    } catch (error) {
      this.#deps.telemetry.aside('eviction', error);
      return false;
    }
  }
}
