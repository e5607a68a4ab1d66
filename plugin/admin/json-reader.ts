/** Reading a request's JSON field by field: what a caller sent becomes typed values, or a message that names the place. Pure. */
import { type JsonObject, isJsonObject } from '../../core/oci/descriptor-json.ts';
import { CodedError } from '../../core/runtime/errors.ts';

/** An object with no fields but `known`. `path` names it in messages. @throws CodedError INVALID_ARGUMENT */
export function objectOf(value: unknown, path: string, known: readonly string[]): JsonObject {
  if (!isJsonObject(value)) throw wrong(path, 'an object');
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown === undefined) return value;
  throw new CodedError('INVALID_ARGUMENT', `Field "${path}.${unknown.slice(0, 100)}" is not known`);
}

export function listOf<T>(
  value: unknown,
  path: string,
  countMax: number,
  read: (one: unknown, path: string) => T,
): T[] {
  if (!Array.isArray(value)) throw wrong(path, 'a list');
  if (value.length > countMax) throw wrong(path, `a list of at most ${countMax}`);
  return value.map((one, at) => read(one, `${path}[${at}]`));
}

export function textOf(value: unknown, path: string, lengthMax = 1_024): string {
  if (typeof value !== 'string' || value === '') throw wrong(path, 'a text');
  if (value.length > lengthMax) throw wrong(path, `a text of at most ${lengthMax} characters`);
  return value;
}

/** A whole number from `min` to `max`; `fallback` when it is absent. */
export function countOf<F>(
  value: unknown,
  path: string,
  { min, max, fallback }: { min: number; max: number; fallback: F },
) {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw wrong(path, `a whole number from ${min} to ${max}`);
}

/** ISO 8601, as milliseconds since the epoch. */
export function timeOf(value: unknown, path: string): number {
  const ms = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isFinite(ms)) return ms;
  throw wrong(path, 'a time such as "2026-11-22T09:00:00Z"');
}

export function oneOf<T extends string>(value: unknown, path: string, words: readonly T[]): T {
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  throw wrong(path, `one of ${words.map((word) => `"${word}"`).join(', ')}`);
}

export function wrong(path: string, wanted: string): CodedError {
  return new CodedError('INVALID_ARGUMENT', `Field "${path}" is not ${wanted}`);
}
