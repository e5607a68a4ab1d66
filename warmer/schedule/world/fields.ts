/** Numbers and truths in plain values. Pure. */
import { field } from '../../sources/extract/values.ts';

/** A whole number, also when it is written as a text; undefined for anything else. */
export function wholeField(value: unknown, ...keys: readonly string[]): number | undefined {
  const found = field(value, ...keys);
  if (typeof found === 'number' && Number.isSafeInteger(found)) return found;
  return typeof found === 'string' && /^-?\d{1,9}$/.test(found) ? Number(found) : undefined;
}

export function isTrueField(value: unknown, ...keys: readonly string[]): boolean {
  return field(value, ...keys) === true;
}

/** An RFC 3339 time as milliseconds since the epoch. */
export function timeField(value: unknown, ...keys: readonly string[]): number | undefined {
  const found = field(value, ...keys);
  const ms = typeof found === 'string' ? Date.parse(found) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
