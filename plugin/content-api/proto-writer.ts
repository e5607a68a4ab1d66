/** Protocol Buffers' wire format, written into a buffer whose length was counted before. Pure. */

const TWO_32 = 0x1_0000_0000;

/** Bytes of a non-negative integer up to 2^53 as a varint; negative ones take ten. */
export function varintLength(value: number): number {
  if (value < 0) return 10;
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
  return length;
}

/** @returns where the next byte goes */
export function putVarint(into: Buffer, at: number, value: number): number {
  if (value < 0) return putNegative(into, at, value);
  let next = at;
  let rest = value;
  while (rest >= TWO_32) {
    into[next++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  while (rest >= 0x80) {
    into[next++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  into[next++] = rest;
  return next;
}

function putNegative(into: Buffer, at: number, value: number): number {
  let rest = BigInt.asUintN(64, BigInt(value));
  let next = at;
  while (rest >= 0x80n) {
    into[next++] = Number(rest & 0x7fn) | 0x80;
    rest >>= 7n;
  }
  into[next++] = Number(rest);
  return next;
}

/** Bytes of a numeric field with a one-byte tag; a zero is left out, as proto3 has it. */
export function intFieldLength(value: number): number {
  return value === 0 ? 0 : 1 + varintLength(value);
}

export function putIntField(into: Buffer, at: number, field: { tag: number; value: number }): number {
  if (field.value === 0) return at;
  into[at] = field.tag;
  return putVarint(into, at + 1, field.value);
}

/** Bytes of a bytes, string or message field with a one-byte tag. */
export function bytesFieldLength(length: number): number {
  return 1 + varintLength(length) + length;
}

/** Tag and length; the bytes themselves follow. */
export function putBytesHead(into: Buffer, at: number, field: { tag: number; length: number }): number {
  into[at] = field.tag;
  return putVarint(into, at + 1, field.length);
}

/** A string field of a known length in bytes; left out when it is empty. */
export function putStringField(into: Buffer, at: number, field: { tag: number; text: string; length: number }): number {
  if (field.length === 0) return at;
  const start = putBytesHead(into, at, field);
  return start + into.write(field.text, start, field.length);
}
