/** What a node answers, as typed values. Fields and kinds that are not known are passed over. Pure. */
import type { Platform } from '../../core/oci/descriptor.ts';
import { normalizePlatform } from '../../core/oci/platform.ts';
import type { SeedLine, SeedProgress, SeedResult } from '../../proto/shoal/seed/v1/seed-line.ts';
import { field, textField, textsField } from '../sources/extract/values.ts';
import type { FleetMember } from './fleet.ts';

const MODES = ['full', 'leech', 'observer'] as const;
const PROGRESS_STATES = ['waiting', 'fetching', 'unpacking'] as const satisfies readonly SeedProgress['state'][];
const RESULT_STATES = ['present', 'fetched', 'skipped', 'failed'] as const satisfies readonly SeedResult['state'][];

/** undefined for a row that has no name. */
export function readMember(row: unknown): FleetMember | undefined {
  const name = textField(row, 'name');
  if (name === undefined) return undefined;
  const isReached = field(row, 'reached') === true;
  return {
    name,
    zone: textField(row, 'zone') ?? '',
    mode: MODES.find((mode) => mode === field(row, 'mode')) ?? 'full',
    isReached,
    platform: readPlatform(field(row, 'platform')),
    labels: textsField(row, 'labels'),
    roomBytes: wholeNumber(field(row, 'room_bytes')) ?? wholeNumber(field(row, 'free_bytes')),
  };
}

/** undefined for a kind of line that is not known. */
export function readSeedLine(line: unknown): SeedLine | undefined {
  const count = (key: string) => wholeNumber(field(line, key)) ?? 0;
  const text = (key: string) => textField(line, key) ?? '';
  switch (field(line, 'kind')) {
    case 'accepted':
      return { kind: 'accepted', id: text('id'), nodes: count('nodes'), images: count('images') };
    case 'waiting':
      return { kind: 'waiting' };
    case 'progress':
      return {
        kind: 'progress',
        ...pairOf(line),
        state: PROGRESS_STATES.find((state) => state === field(line, 'state')) ?? 'fetching',
        bytes_total: count('bytes_total'),
        bytes_present: count('bytes_present'),
      };
    case 'result':
      return readResult(line, count);
    case 'done':
      return {
        kind: 'done',
        id: text('id'),
        present: count('present'),
        fetched: count('fetched'),
        skipped: count('skipped'),
        failed: count('failed'),
        bytes_fetched: count('bytes_fetched'),
      };
    case 'failed':
      return { kind: 'failed', code: text('code') || 'INTERNAL', message: text('message') };
    default:
      return undefined;
  }
}

function readResult(line: unknown, count: (key: string) => number): SeedResult {
  const unpacked = field(line, 'unpacked');
  return {
    kind: 'result',
    ...pairOf(line),
    state: RESULT_STATES.find((state) => state === field(line, 'state')) ?? 'failed',
    bytes_total: count('bytes_total'),
    bytes_fetched: count('bytes_fetched'),
    blobs_verified: count('blobs_verified'),
    blobs_total: count('blobs_total'),
    pinned_until: textField(line, 'pinned_until') ?? null,
    unpacked: typeof unpacked === 'boolean' ? unpacked : null,
    reason: textField(line, 'reason') ?? null,
    code: textField(line, 'code') ?? null,
    failed_digest: textField(line, 'failed_digest') ?? null,
    retriable: field(line, 'retriable') === true,
    elapsed_ms: count('elapsed_ms'),
  };
}

function pairOf(line: unknown): { node: string; ref: string; digest: string } {
  const text = (key: string) => textField(line, key) ?? '';
  return { node: text('node'), ref: text('ref'), digest: text('digest') };
}

function readPlatform(value: unknown): Platform | undefined {
  const [os, architecture] = [textField(value, 'os'), textField(value, 'architecture')];
  const variant = textField(value, 'variant');
  if (os === undefined || architecture === undefined) return undefined;
  return normalizePlatform({ os, architecture, ...(variant !== undefined && { variant }) });
}

/** Zero or more. */
export function wholeNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
