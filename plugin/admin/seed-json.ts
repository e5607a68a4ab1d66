/** What seeding tells, in the forms of `proto/shoal/seed/v1`. Pure. */
import type { LeaseAnswer } from '../../proto/shoal/seed/v1/lease.ts';
import type { NodeRow as NodeRowJson } from '../../proto/shoal/seed/v1/node-row.ts';
import type { PinRow as PinRowJson } from '../../proto/shoal/seed/v1/pin-row.ts';
import type { PresenceRow as PresenceRowJson } from '../../proto/shoal/seed/v1/presence.ts';
import type { SeedDone, SeedLine } from '../../proto/shoal/seed/v1/seed-line.ts';
import type { SeedRow } from '../../proto/shoal/seed/v1/seed-row.ts';
import type { LeaseWord, NodeRow, PresenceRow, SeedCounts, SeedStatus, SeedStep } from '../seed/seed.ts';
import type { PinRow } from './admin.ts';

export function stepJson({ node, image, row }: SeedStep, isImageLevel: boolean): SeedLine {
  const { ref, digest } = image;
  const { state } = row;
  if (state === 'waiting' || state === 'fetching' || state === 'unpacking') {
    const bytes = { bytes_total: row.bytesTotal, bytes_present: row.bytesPresent };
    return { kind: 'progress', node, ref, digest, state, ...bytes };
  }
  return {
    ...{ kind: 'result', node, ref, digest, state },
    bytes_total: row.bytesTotal,
    bytes_fetched: row.bytesFetched,
    blobs_verified: row.blobsVerified,
    blobs_total: row.blobsTotal,
    pinned_until: row.pinnedUntilMs === undefined ? null : time(row.pinnedUntilMs),
    unpacked: isImageLevel ? (row.isUnpacked ?? false) : null,
    reason: row.reason ?? null,
    code: row.code ?? null,
    failed_digest: row.failedDigest ?? null,
    retriable: row.isRetriable,
    elapsed_ms: row.elapsedMs,
  };
}

export function doneJson(id: string, { bytesFetched, ...counts }: SeedCounts): SeedDone {
  return { kind: 'done', id, ...counts, bytes_fetched: bytesFetched };
}

export function seedJson(seed: SeedStatus): SeedRow {
  const { id, state, level, nodes, newcomers, present, fetched, skipped, failed } = seed;
  return {
    ...{ id, state, pin: seed.pin.name, until: time(seed.pin.untilMs), started_at: time(seed.startedAtMs) },
    ...{ level, images: [...seed.refs], nodes, present, fetched, skipped, failed },
    bytes_fetched: seed.bytesFetched,
    newcomers,
  };
}

export function pinJson({ name, untilMs, bytes, digests }: PinRow): PinRowJson {
  return { name, until: time(untilMs), blobs: digests.length, bytes, digests: [...digests] };
}

export function presenceJson({ node, has, reason }: PresenceRow): PresenceRowJson {
  return {
    ...{ kind: 'node', node, reached: has !== undefined, reason: reason ?? null },
    present: has === undefined ? 0 : has.reduce((sum, byte) => sum + bitsIn(byte), 0),
    has: has === undefined ? '' : Buffer.from(has).toString('base64'),
  };
}

function bitsIn(byte: number): number {
  let bits = 0;
  for (let rest = byte; rest > 0; rest >>= 1) bits += rest & 1;
  return bits;
}

export function nodeJson({ name, address, zone, version, mode, facts }: NodeRow): NodeRowJson {
  const row = { name, address, zone, version, mode: mode === 'leech' || mode === 'observer' ? mode : 'full' } as const;
  if (facts === undefined) {
    const nothing = { platform: null, labels: null, free_bytes: null, room_bytes: null, can_unpack: null };
    return { ...row, reached: false, ...nothing };
  }
  const { os, architecture, variant = null } = facts.platform;
  const labels = {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': os,
    'kubernetes.io/arch': architecture,
    ...(zone !== '' && { 'topology.kubernetes.io/zone': zone }),
  };
  const room = { free_bytes: facts.freeBytes, room_bytes: facts.roomBytes, can_unpack: facts.canUnpack };
  return { ...row, reached: true, platform: { os, architecture, variant }, labels, ...room };
}

export function leaseJson(name: string, { isHeld, holder, fencing, remainingMs }: LeaseWord): LeaseAnswer {
  return { name, held: isHeld, holder: holder ?? null, fencing, remaining_ms: Math.round(remainingMs) };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
