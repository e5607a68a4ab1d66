/**
 * DER (ITU-T X.690) as far as the two certificates of this module need it: writing only. Whatever others send is read by
 * OpenSSL, never here.
 */

const SEQUENCE = 0x30;
const SET = 0x31;

/** One tag, length and value. */
export function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOf(value.length), value]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => tagged(SEQUENCE, ...parts);
export const set = (...parts: readonly Uint8Array[]): Buffer => tagged(SET, ...parts);
export const octets = (value: Uint8Array): Buffer => tagged(0x04, value);
export const utf8 = (text: string): Buffer => tagged(0x0c, Buffer.from(text, 'utf8'));
export const isTrue = (): Buffer => tagged(0x01, Buffer.from([0xff]));

/** An unsigned integer, big endian; a zero goes before a set highest bit. */
export function integer(value: Uint8Array): Buffer {
  const needsZero = ((value[0] ?? 0) & 0x80) !== 0;
  return tagged(0x02, needsZero ? Buffer.from([0]) : Buffer.alloc(0), value);
}

/** Bits that fill their last byte but for `unused` of it. */
export function bits(value: Uint8Array, unused = 0): Buffer {
  return tagged(0x03, Buffer.from([unused]), value);
}

/** `"2.5.29.17"`. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** UTCTime up to 2049 and GeneralizedTime from then on, as RFC 5280 section 4.1.2.5 wants it; whole seconds. */
export function time(atMs: number): Buffer {
  const text = new Date(atMs).toISOString().replace(/[-:T]|\.\d+/g, '');
  const isShort = new Date(atMs).getUTCFullYear() < 2050;
  return isShort ? tagged(0x17, Buffer.from(text.slice(2), 'latin1')) : tagged(0x18, Buffer.from(text, 'latin1'));
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(0x80 | (rest % 128));
  return bytes;
}
