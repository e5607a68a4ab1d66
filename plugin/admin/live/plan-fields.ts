/** Reading a posted plan field by field; what does not fit is refused by its name. Pure. */
import { CodedError } from '../../../core/runtime/errors.ts';

export type Fields = Readonly<Record<string, unknown>>;

export function objectOf(value: unknown, name: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value));
  }
  throw wrong(name, 'an object');
}

export function textOf(fields: Fields, name: string, charsMax: number): string {
  const value = fields[name];
  if (typeof value === 'string' && value.length > 0 && value.length <= charsMax) return value;
  throw wrong(name, `a text of 1 to ${charsMax} characters`);
}

/** As ISO 8601 with milliseconds, UTC. */
export function timeOf(fields: Fields, name: string): string {
  const value = fields[name];
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) throw wrong(name, 'a time as ISO 8601 writes it');
  return new Date(ms).toISOString();
}

/** From 0. */
export function numberOf(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw wrong(name, 'a whole number');
}

export function listOf(fields: Fields, name: string, countMax: number): unknown[] {
  const value = fields[name];
  if (Array.isArray(value) && value.length <= countMax) return value;
  throw wrong(name, `a list of at most ${countMax}`);
}

export function orNull<T>(fields: Fields, name: string, read: () => T): T | null {
  const value = fields[name];
  return value === null || value === undefined ? null : read();
}

function wrong(name: string, wanted: string): CodedError {
  return new CodedError('INVALID_ARGUMENT', `"${name}" is not ${wanted}`);
}
