/** Protocol Buffers' wire format, read in place (https://protobuf.dev/programming-guides/encoding/). Pure. */
import { CodedError } from '../../core/runtime/errors.ts';

export const WIRE = { VARINT: 0, FIXED64: 1, BYTES: 2, FIXED32: 5 } as const;

const TWO_32 = 0x1_0000_0000;

/** Walks over one message. Bytes that it gives are views, not copies. Every method throws INVALID_ARGUMENT past the end. */
export class ProtoReader {
  readonly #bytes: Buffer;
  #at: number;
  readonly #end: number;

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  /** The next field's number and wire type as `number * 8 + type`; 0 at the end. */
  tag(): number {
    if (this.#at >= this.#end) return 0;
    const tag = this.uint32();
    if (tag >>> 3 === 0) throw malformed('a field without a number');
    return tag;
  }

  /** An int64, exact up to 2^53 and rounded beyond. */
  int64(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) return (high | 0) * TWO_32 + (low >>> 0);
    }
    throw malformed('a number of more than ten bytes');
  }

  /** An int32, enum or tag. */
  uint32(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    this.#at -= 1;
    return this.int64() >>> 0;
  }

  bytes(): Buffer {
    const length = this.uint32();
    const start = this.#at;
    if (length > this.#end - start) throw malformed('a field longer than its message');
    this.#at = start + length;
    return this.#bytes.subarray(start, this.#at);
  }

  string(): string {
    const length = this.uint32();
    const start = this.#at;
    if (length > this.#end - start) throw malformed('a field longer than its message');
    this.#at = start + length;
    return this.#bytes.toString('utf8', start, this.#at);
  }

  /** Passes over a field that is not known; groups, long out of use, are refused. */
  skip(tag: number): void {
    const type = tag & 7;
    if (type === WIRE.VARINT) this.int64();
    else if (type === WIRE.FIXED64) this.#pass(8);
    else if (type === WIRE.BYTES) this.#pass(this.uint32());
    else if (type === WIRE.FIXED32) this.#pass(4);
    else throw malformed(`wire type ${type}`);
  }

  #byte(): number {
    const byte = this.#at < this.#end ? this.#bytes[this.#at] : undefined;
    if (byte === undefined) throw malformed('an end in the middle of a field');
    this.#at += 1;
    return byte;
  }

  #pass(count: number): void {
    if (count > this.#end - this.#at) throw malformed('a field longer than its message');
    this.#at += count;
  }
}

function malformed(what: string): CodedError {
  return new CodedError('INVALID_ARGUMENT', `Message is not well-formed protobuf: ${what}`);
}
