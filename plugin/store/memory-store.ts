/** The store in memory, for tests of whatever stands on it. Same contract as on disk; nothing survives the process. */
import type { Digest } from '../../core/oci/digest.ts';
import { type Clock, systemClock } from '../../core/runtime/clock.ts';
import { Arrivals } from './arrivals.ts';
import { BlobIndex } from './blob-index.ts';
import type { BlobHolder, BlobReader, LabelStore, OpenBytes, PinStore } from './blob-store.ts';
import type { Claim, ClaimStore } from './claim-store.ts';
import { checkClaim } from './claims.ts';
import type { DirectHold } from './disk-blobs.ts';
import { bytesToEvict, chooseVictims, type EvictionCandidate, fitsCache } from './eviction.ts';
import { MemoryBlobs } from './memory-blobs.ts';
import { MemoryIngests } from './memory-ingest.ts';
import { MemoryPartials } from './memory-partial.ts';
import { checkPin } from './pins.ts';
import type { Store, StoreLimits } from './store.ts';
import { createWallTime } from './wall-time.ts';

export interface MemoryStoreOptions {
  clock?: Clock;
  limits?: StoreLimits;
}

const ROOMY: StoreLimits = { capacityBytes: 2 ** 40, highWatermark: 0.9, lowWatermark: 0.7, minFreeBytes: 0 };

export function createMemoryStore(options: MemoryStoreOptions = {}): Store {
  const now = createWallTime(options.clock ?? systemClock);
  const limits = options.limits ?? ROOMY;
  const arrivals = new Arrivals();
  const index = new BlobIndex(now, (digest) => arrivals.changed(digest));
  const claims = new Map<Digest, Claim>();
  const blobs = new MemoryBlobs(index);
  const evictor = { soon: () => evict(bytesToEvict({ usedBytes: usedBytes(), missingFreeBytes: 0 }, limits)) };
  const partials = new MemoryPartials({ blobs, now, arrivals, onBlob: () => evictor.soon() });
  const ingests = new MemoryIngests({ blobs, now, arrivals });

  function usedBytes(): number {
    return index.cacheOnlyBytes + partials.idle().reduce((sum, partial) => sum + partial.bytesPresent, 0);
  }

  function candidates(): EvictionCandidate[] {
    const cached = [...index.list('cache')].filter((stat) => stat.holds.size === 1);
    const idle = partials.idle().filter((partial) => !claims.has(partial.digest));
    return [
      ...cached.map(({ digest, size, usedAtMs }) => ({ kind: 'blob' as const, digest, bytes: size, usedAtMs })),
      ...idle.map(({ digest, bytesPresent, usedAtMs }) => ({
        kind: 'partial' as const,
        digest,
        bytes: bytesPresent,
        usedAtMs,
      })),
    ];
  }

  function evict(bytes: number): number {
    const victims = chooseVictims(candidates(), bytes);
    for (const { kind, digest } of victims) {
      if (kind === 'blob') blobs.unlink(digest, { hold: 'cache' });
      else partials.drop(digest);
    }
    return victims.reduce((sum, victim) => sum + victim.bytes, 0);
  }

  return {
    start: async () => undefined,
    stop: async () => undefined,
    ...readerOf(blobs),
    ...holderOf({ blobs, limits, evictor }),
    evictTo: async (bytes) => evict(usedBytes() - bytes),
    ...labelsOf(blobs),
    ...pinsOf(blobs, now),
    openIngest: (ref, how) => ingests.open(ref, how),
    ingestStatus: async (ref) => ingests.status(ref),
    ingestStatuses: async () => ingests.statuses(),
    abortIngest: async (ref) => ingests.abort(ref),
    openPartial: async (digest, size) => partials.open(digest, size),
    partials: () => partials.list(),
    dropPartial: async (digest) => partials.drop(digest),
    ...claimsOf(claims),
    arriving: (digest) => arrivals.arriving(digest),
    onChange: (listener) => arrivals.onChange(listener),
  };
}

function readerOf(blobs: MemoryBlobs): BlobReader {
  return {
    stat: (digest) => blobs.index.stat(digest),
    list: (hold) => blobs.index.list(hold),
    open: async (digest) => openBytes(blobs.bytesOf(digest)),
    touch: (digest) => blobs.index.touch(digest),
  };
}

function openBytes(bytes: Uint8Array): OpenBytes {
  return {
    size: bytes.length,
    read: async (into, offset) => {
      const part = bytes.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    },
    close: async () => undefined,
  };
}

function holderOf(deps: {
  blobs: MemoryBlobs;
  limits: StoreLimits;
  evictor: { soon: () => unknown };
}): Omit<BlobHolder, 'evictTo'> {
  const { blobs, limits, evictor } = deps;
  return {
    hold: async (digest: Digest, hold: DirectHold) => {
      blobs.link(digest, { hold });
    },
    release: async (digest, hold, how) => {
      const stat = blobs.index.stat(digest);
      if (stat === undefined) return;
      const keeps = hold === 'containerd' && (how?.keep ?? true) && fitsCache(stat.size, limits);
      if (keeps && stat.holds.has('containerd')) blobs.link(digest, { hold: 'cache' });
      blobs.unlink(digest, { hold });
      evictor.soon();
    },
  };
}

function labelsOf(blobs: MemoryBlobs): LabelStore {
  return {
    labels: (digest) => blobs.labels.get(digest) ?? new Map(),
    setLabels: async (digest, labels) => {
      blobs.bytesOf(digest);
      blobs.index.touch(digest);
      blobs.labels.set(digest, new Map(labels));
    },
  };
}

function pinsOf(blobs: MemoryBlobs, now: () => number): PinStore {
  const pins = new Map<string, { untilMs: number; digests: Set<Digest> }>();
  const remove = (name: string) => {
    for (const digest of pins.get(name)?.digests ?? []) blobs.unlink(digest, { pin: name });
    pins.delete(name);
  };
  return {
    pin: async (name, digests, untilMs) => {
      checkPin(name, untilMs, pins);
      for (const digest of digests) blobs.bytesOf(digest);
      if ((pins.get(name)?.untilMs ?? Infinity) <= now()) remove(name);
      const pin = pins.get(name) ?? { untilMs, digests: new Set<Digest>() };
      pin.untilMs = Math.max(pin.untilMs, untilMs);
      pins.set(name, pin);
      for (const digest of digests) pin.digests.add(digest);
      for (const digest of pin.digests) blobs.link(digest, { pin: name, untilMs: pin.untilMs });
    },
    unpin: async (name) => remove(name),
    pins: () =>
      [...pins]
        .filter(([, pin]) => pin.untilMs > now())
        .map(([name, { untilMs, digests }]) => ({ name, untilMs, digests: [...digests] })),
  };
}

function claimsOf(claims: Map<Digest, Claim>): ClaimStore {
  return {
    claim: (digest) => claims.get(digest),
    claims: () => [...claims.values()],
    putClaim: (claim) => {
      checkClaim(claim, claims);
      claims.set(claim.digest, { ...claim, sources: [...claim.sources] });
    },
    removeClaim: (digest) => {
      claims.delete(digest);
    },
  };
}
