/** Reading decoded messages field by field: what another member sent becomes typed values, or nothing. */
import { type Digest, digestOfHex, hexOf } from '../../core/oci/digest.ts';

const DIGEST_BYTES = 32;

/** The 32 bytes of a digest on the wire. */
export function digestBytes(digest: Digest): Buffer {
  return Buffer.from(hexOf(digest), 'hex');
}

export function digestIn(message: object, name: string): Digest | undefined {
  return digestOfBytes(fieldIn(message, name));
}

export function digestOfBytes(value: unknown): Digest | undefined {
  if (!(value instanceof Uint8Array) || value.length !== DIGEST_BYTES) return undefined;
  return digestOfHex(Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex'));
}

export function bytesIn(message: object, name: string): Uint8Array {
  const value = fieldIn(message, name);
  return value instanceof Uint8Array ? value : new Uint8Array(0);
}

export function textIn(message: object, name: string): string {
  const value = fieldIn(message, name);
  return typeof value === 'string' ? value : '';
}

export function flagIn(message: object, name: string): boolean {
  return fieldIn(message, name) === true;
}

/** A whole number from 0 to 2^53; 0 for anything else. */
export function numberIn(message: object, name: string): number {
  const value = fieldIn(message, name);
  return isCount(value) ? value : 0;
}

export function numbersIn(message: object, name: string, countMax: number): number[] {
  return valuesIn(message, name, countMax).filter(isCount);
}

export function textsIn(message: object, name: string, countMax: number): string[] {
  return valuesIn(message, name, countMax).filter((value) => typeof value === 'string');
}

/** At most `countMax` of the messages in a list; the rest is not looked at. */
export function messagesIn(message: object, name: string, countMax: number): object[] {
  return valuesIn(message, name, countMax).filter((value) => typeof value === 'object' && value !== null);
}

/** At most `countMax` of a list's values, unread. */
export function valuesIn(message: object, name: string, countMax: number): unknown[] {
  const value = fieldIn(message, name);
  return Array.isArray(value) ? value.slice(0, countMax) : [];
}

function fieldIn(message: object, name: string): unknown {
  return Object.hasOwn(message, name) ? Reflect.get(message, name) : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
