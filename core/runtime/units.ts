/**
 * Sizes, rates and durations as people write them in configuration and read them in output. What is formatted here can
 * be parsed here again. Pure.
 */
import { CodedError } from './errors.ts';

const BYTE_UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['B', 1],
  ['kB', 1e3],
  ['KB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['TB', 1e12],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
  ['TiB', 2 ** 40],
]);

/** Bits a second, in bytes; decimal as networks and `tc` count them. */
const BIT_UNITS: ReadonlyMap<string, number> = new Map([
  ['bit', 1 / 8],
  ['kbit', 1e3 / 8],
  ['mbit', 1e6 / 8],
  ['gbit', 1e9 / 8],
]);

const DURATION_UNITS_MS: ReadonlyMap<string, number> = new Map([
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
]);

const QUANTITY = /^(\d{1,15}(?:\.\d{1,6})?) ?([A-Za-z]*)$/;

/** A number of bytes, or a share of whatever total it is resolved against. */
export type SizeOrShare =
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'share'; readonly share: number };

/**
 * `"50GiB"`, `"1.5 GB"`, `"4096"` in bytes; a fraction of a byte is dropped.
 * @throws CodedError INVALID_ARGUMENT naming the value
 */
export function parseBytes(text: string): number {
  const [, count, unit] = QUANTITY.exec(text.trim()) ?? [];
  const factor = BYTE_UNITS.get(unit ?? 'none');
  const bytes = Math.floor(Number(count) * (factor ?? Number.NaN));
  if (!Number.isSafeInteger(bytes)) throw invalid(text, 'a size such as "50GiB", "512MB" or "4096"');
  return bytes;
}

/**
 * A size, or a share of the whole as `"20%"`, above 0 and up to 100.
 * @throws CodedError INVALID_ARGUMENT naming the value
 */
export function parseSizeOrShare(text: string): SizeOrShare {
  const percent = /^(\d{1,3}(?:\.\d{1,6})?) ?%$/.exec(text.trim())?.[1];
  if (percent === undefined) return { kind: 'bytes', bytes: parseBytes(text) };
  const share = Number(percent) / 100;
  if (share <= 0 || share > 1) throw invalid(text, 'a share above 0% and up to 100%');
  return { kind: 'share', share };
}

/** The bytes that `size` means of `totalBytes`. */
export function resolveSize(size: SizeOrShare, totalBytes: number): number {
  return size.kind === 'bytes' ? size.bytes : Math.floor(size.share * totalBytes);
}

/**
 * `"200MiB/s"`, or bits as `"100Mbit/s"` and `"100mbit"`, in bytes a second; at least one.
 * @throws CodedError INVALID_ARGUMENT naming the value
 */
export function parseRate(text: string): number {
  const [, count, unit = '', per] = /^(\d{1,15}(?:\.\d{1,6})?) ?([A-Za-z]+)(\/s)?$/.exec(text.trim()) ?? [];
  const bits = BIT_UNITS.get(unit.toLowerCase());
  const factor = bits ?? (per === undefined ? undefined : BYTE_UNITS.get(unit));
  const rate = Math.floor(Number(count) * (factor ?? Number.NaN));
  if (!Number.isSafeInteger(rate) || rate < 1) throw invalid(text, 'a rate such as "200MiB/s" or "100Mbit/s"');
  return rate;
}

/**
 * `"60s"`, `"1h30m"`, `"1.5h"`, `"250ms"` in whole milliseconds; larger units first, each once.
 * @throws CodedError INVALID_ARGUMENT naming the value
 */
export function parseDuration(text: string): number {
  const whole = text.trim();
  const parts = [...whole.matchAll(/(\d{1,9}(?:\.\d{1,6})?)(ms|[dhms])/g)];
  const unitsMs = parts.map(([, , unit = '']) => DURATION_UNITS_MS.get(unit) ?? Number.NaN);
  const isDescending = unitsMs.every((unit, index) => index === 0 || unit < (unitsMs[index - 1] ?? 0));
  if (whole === '' || parts.map(([part]) => part).join('') !== whole || !isDescending) {
    throw invalid(text, 'a duration such as "60s", "5m" or "1h30m"');
  }
  return Math.floor(parts.reduce((sum, [, count], index) => sum + Number(count) * (unitsMs[index] ?? 0), 0));
}

/** `"1.5 GiB"`, `"12 B"`: binary units, at most one decimal. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let rest = Math.max(0, bytes);
  let unit = 0;
  while (rest >= 1023.95 && unit < units.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  const decimals = unit === 0 || rest >= 100 ? 0 : 1;
  return `${rest.toFixed(decimals).replace(/\.0$/, '')} ${units[unit]}`;
}

/** `"12.5 MiB/s"` of bytes a second. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** `"1h30m"`, `"250ms"`, `"0s"`: exact to the millisecond. */
export function formatDuration(ms: number): string {
  let rest = Math.max(0, Math.round(ms));
  let text = '';
  for (const [unit, unitMs] of DURATION_UNITS_MS) {
    const count = Math.floor(rest / unitMs);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * unitMs;
  }
  return text === '' ? '0s' : text;
}

function invalid(text: string, wanted: string): CodedError {
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  return new CodedError('INVALID_ARGUMENT', `"${shown}" is not ${wanted}`);
}
