/** The store on disk: puts its parts together and gives them a life. Each part has its own file. */
import { statfs } from 'node:fs/promises';
import type { Digest } from '../../core/oci/digest.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CodedError } from '../../core/runtime/errors.ts';
import type { Logger } from '../../core/runtime/log.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';
import { Semaphore } from '../../core/runtime/semaphore.ts';
import { Arrivals } from './arrivals.ts';
import { BlobIndex } from './blob-index.ts';
import { ClaimFiles } from './claims.ts';
import { type DirectHold, DiskBlobs } from './disk-blobs.ts';
import { fitsCache } from './eviction.ts';
import { Evictor } from './evictor.ts';
import { INGESTS_OPEN_MAX, Ingests } from './ingests.ts';
import { LabelFiles } from './labels.ts';
import { Layout } from './layout.ts';
import { blobFactsOf, loadBlobs, makeDirectories, probeHardLink } from './open-root.ts';
import { PARTIALS_OPEN_MAX, Partials } from './partials.ts';
import { PinDirectories } from './pins.ts';
import { READ_BACKS_MAX } from './prefix-hasher.ts';
import { lockRoot, type RootLock } from './root-lock.ts';
import type { Store, StoreLimits } from './store.ts';
import { DirectorySyncer } from './sync-dir.ts';
import { createStoreTelemetry } from './telemetry.ts';
import { Trash } from './trash.ts';
import { createWallTime } from './wall-time.ts';

/** Pins, watermarks, free space and use times are looked after so often. */
export const UPKEEP_EVERY_MS = 10_000;

export interface DiskStoreDeps {
  root: string;
  limits: StoreLimits;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
}

export interface DiskStoreOptions {
  upkeepEveryMs?: number;
  /** Bytes left on the file system of `root`; default: what `statfs` says. */
  freeBytes?: (root: string) => Promise<number>;
}

/**
 * A store below `root`, in containerd's layout. Inert until `start`, which fails with FAILED_PRECONDITION when the root
 * cannot be written, spans mounts, or belongs to another daemon.
 */
export function createDiskStore(deps: DiskStoreDeps, options: DiskStoreOptions = {}): Store {
  const parts = createParts(deps, options);
  const { index, blobs, labels, pins, ingests, partials, claims, evictor, arrivals } = parts;
  const life = createLife(deps, parts, options.upkeepEveryMs ?? UPKEEP_EVERY_MS);
  return {
    ...life,
    stat: (digest) => index.stat(digest),
    list: (hold) => index.list(hold),
    open: (digest) => blobs.open(digest),
    touch: (digest) => index.touch(digest),
    hold: (digest, hold) => blobs.hold(digest, hold),
    release: async (digest, hold, how) => release(parts, { digest, hold, keep: how?.keep ?? true }),
    evictTo: (bytes) => evictor.evictTo(bytes),
    labels: (digest) => labels.get(digest),
    setLabels: async (digest, next) => {
      if (index.stat(digest) === undefined) throw new CodedError('NOT_FOUND', `Blob "${digest}" is not here to label`);
      index.touch(digest);
      await labels.set(digest, next);
    },
    pin: (name, digests, untilMs) => pins.pin(name, digests, untilMs),
    unpin: (name) => pins.unpin(name),
    pins: () => pins.list(),
    openIngest: (ref, how) => ingests.open(ref, how),
    ingestStatus: async (ref) => ingests.status(ref),
    ingestStatuses: async () => ingests.statuses(),
    abortIngest: async (ref) => ingests.abort(ref),
    openPartial: (digest, size) => partials.open(digest, size),
    partials: () => partials.list().map(({ digest, size, bytesPresent }) => ({ digest, size, bytesPresent })),
    dropPartial: async (digest) => partials.drop(digest),
    claim: (digest) => claims.get(digest),
    claims: () => claims.list(),
    putClaim: (claim) => claims.put(claim),
    removeClaim: (digest) => claims.remove(digest),
    arriving: (digest) => arrivals.arriving(digest),
    onChange: (listener) => arrivals.onChange(listener),
  };
}

type Parts = ReturnType<typeof createParts>;

function createParts(deps: DiskStoreDeps, options: DiskStoreOptions) {
  const { clock, limits } = deps;
  const now = createWallTime(clock);
  const layout = new Layout(deps.root);
  const arrivals = new Arrivals();
  const index = new BlobIndex(now, (digest) => arrivals.changed(digest));
  const telemetry = createStoreTelemetry(deps, () => index.bytesByHold());
  const syncer = new DirectorySyncer();
  const trash = new Trash(layout.trash);
  const turns = new Semaphore({ permits: READ_BACKS_MAX, waitersMax: INGESTS_OPEN_MAX + PARTIALS_OPEN_MAX });
  const labels = new LabelFiles({ layout, syncer, trash });
  const blobs = new DiskBlobs({ layout, index, syncer, trash, labels, telemetry });
  const claims = new ClaimFiles({ layout, trash });
  const common = { layout, index, blobs, syncer, trash, turns, telemetry, arrivals, now };
  const partials = new Partials({
    ...common,
    clock,
    makeRoom: (bytes, onRoom) => evictor.makeRoom(bytes, onRoom),
    onBlob: () => evictor.soon(),
  });
  const freeBytes = () => (options.freeBytes ?? freeBytesOf)(deps.root);
  const evictor = new Evictor({ index, blobs, partials, claims, trash, limits, telemetry, freeBytes });
  const ingests = new Ingests({ ...common, labels, freeSpace: (bytes) => evictor.freeSpace(bytes) });
  const pins = new PinDirectories(common);
  return { ...common, labels, claims, partials, evictor, ingests, pins, limits };
}

function createLife(deps: DiskStoreDeps, parts: Parts, upkeepEveryMs: number): Pick<Store, 'start' | 'stop'> {
  let lock: RootLock | undefined;
  let stopping = new AbortController();
  let upkeep: Promise<void> = Promise.resolve();
  return {
    async start({ signal }) {
      const startedMs = deps.clock.monotonicMs();
      makeDirectories(parts.layout);
      const taken = lockRoot(parts.layout.lock);
      try {
        probeHardLink(parts.layout);
        await load(parts);
        signal.throwIfAborted();
      } catch (error) {
        taken.release();
        throw error;
      }
      lock = taken;
      parts.telemetry.opened({ ...countsOf(parts), root: deps.root, tookMs: deps.clock.monotonicMs() - startedMs });
      stopping = new AbortController();
      upkeep = keepUp(parts, { clock: deps.clock, everyMs: upkeepEveryMs, signal: stopping.signal });
    },
    async stop() {
      if (lock === undefined) return;
      stopping.abort();
      await upkeep;
      await parts.ingests.closeAll();
      await parts.partials.closeAll();
      await parts.blobs.flushUsed();
      await parts.trash.settled();
      lock.release();
      lock = undefined;
    },
  };
}

async function load(parts: Parts): Promise<void> {
  const { layout, index, labels, pins, ingests, partials, claims, telemetry } = parts;
  await parts.trash.empty();
  await loadBlobs(layout, index);
  pins.load((path, digest, pin) => index.add(digest, pin, index.stat(digest) ?? blobFactsOf(path)));
  await pins.removeEnded();
  labels.load((digest) => index.stat(digest) !== undefined);
  ingests.load();
  partials.load();
  claims.load((path) => telemetry.ignored({ path, reason: 'no claim' }));
  await parts.trash.settled();
}

function countsOf(parts: Parts) {
  const { index, ingests, partials, claims } = parts;
  return { blobs: index.count, ingests: ingests.count, partials: partials.list().length, claims: claims.count };
}

async function keepUp(parts: Parts, how: { clock: Clock; everyMs: number; signal: AbortSignal }): Promise<void> {
  while (!how.signal.aborted) {
    try {
      await parts.pins.removeEnded();
      await parts.evictor.check();
      await parts.blobs.flushUsed();
    } catch (error) {
      parts.telemetry.upkeepFailed(error);
    }
    await how.clock.sleep(how.everyMs, { signal: how.signal }).catch(() => undefined);
  }
}

async function release(parts: Parts, what: { digest: Digest; hold: DirectHold; keep: boolean }): Promise<void> {
  const { index, blobs, limits, evictor, telemetry } = parts;
  const stat = index.stat(what.digest);
  if (stat === undefined) return;
  const keeps = what.hold === 'containerd' && what.keep && fitsCache(stat.size, limits) && stat.holds.has('containerd');
  try {
    if (keeps) blobs.linkHold(what.digest, 'cache');
  } catch (error) {
    // A full directory must not keep containerd from collecting garbage.
    telemetry.aside('cache link', error);
  }
  blobs.unlinkHold(what.digest, what.hold);
  evictor.soon();
}

async function freeBytesOf(root: string): Promise<number> {
  const stat = await statfs(root);
  return stat.bavail * stat.bsize;
}
