/**
 * Reads MessagePack as go-msgpack writes it without extensions: strings and bytes are both "raw", nil stands for the zero
 * value, and numbers come in any integer form. Lengths are checked against what is there before anything is made of
 * them. (msgpack specification; hashicorp/go-msgpack)
 */
import { MSGPACK_NESTING_MAX } from '../limits.ts';
import { WireFault } from './wire-fault.ts';

const NIL = 0xc0;
const NONE = new Uint8Array(0);

export class MsgpackReader {
  readonly #bytes: Buffer;
  #at: number;

  /** Reads `bytes` from `start`. Nothing is copied: what `bytes()` gives is a view. */
  constructor(bytes: Buffer, start = 0) {
    this.#bytes = bytes;
    this.#at = start;
  }

  /** Where the next value begins. */
  get offset(): number {
    return this.#at;
  }

  /** Entries of the map that begins here; nil is an empty one. */
  mapSize(): number {
    const tag = this.#byte();
    if (tag === NIL) return 0;
    if (tag >= 0x80 && tag <= 0x8f) return tag & 0x0f;
    if (tag === 0xde) return this.#number(2);
    if (tag === 0xdf) return this.#number(4);
    throw unexpected('a map', tag);
  }

  /** Items of the array that begins here; nil is an empty one. */
  arraySize(): number {
    const tag = this.#byte();
    if (tag === NIL) return 0;
    if (tag >= 0x90 && tag <= 0x9f) return tag & 0x0f;
    if (tag === 0xdc) return this.#number(2);
    if (tag === 0xdd) return this.#number(4);
    throw unexpected('an array', tag);
  }

  /** A string of at most `bytesMax` bytes of UTF-8. */
  text(bytesMax: number): string {
    const length = this.#rawSize(bytesMax);
    const start = this.#take(length);
    return this.#bytes.toString('utf8', start, this.#at);
  }

  /** At most `bytesMax` bytes, as a view of what is read. */
  bytes(bytesMax: number): Uint8Array {
    const length = this.#rawSize(bytesMax);
    if (length === 0) return NONE;
    const start = this.#take(length);
    return this.#bytes.subarray(start, this.#at);
  }

  /** A whole number from 0 to `max`, in whatever integer form. */
  uint(max: number): number {
    const value = this.#integer();
    if (value < 0 || value > max) throw new WireFault('malformed', `${value} is not a number from 0 to ${max}`);
    return value;
  }

  bool(): boolean {
    const tag = this.#byte();
    if (tag === 0xc3) return true;
    if (tag === 0xc2 || tag === NIL) return false;
    throw unexpected('true or false', tag);
  }

  /** Passes over one value of any kind. */
  skip(depth = 0): void {
    if (depth > MSGPACK_NESTING_MAX) throw new WireFault('malformed', `Nested deeper than ${MSGPACK_NESTING_MAX}`);
    const tag = this.#byte();
    const children = childrenOf(tag);
    if (children === undefined) {
      this.#take(this.#scalarSize(tag));
      return;
    }
    const count = typeof children === 'number' ? children : this.#number(children.sizeBytes) * children.perEntry;
    this.#mayHold(count);
    for (let index = 0; index < count; index += 1) this.skip(depth + 1);
  }

  /** Every child takes a byte at least, so a count beyond what is left cannot be true. */
  #mayHold(count: number): void {
    if (count > this.#bytes.length - this.#at) throw new WireFault('truncated', `${count} values are announced`);
  }

  #scalarSize(tag: number): number {
    if (tag <= 0x7f || tag >= 0xe0 || (tag >= NIL && tag <= 0xc3)) return 0;
    if (tag >= 0xa0 && tag <= 0xbf) return tag & 0x1f;
    if (tag >= 0xd4 && tag <= 0xd8) return 1 + 2 ** (tag - 0xd4);
    const fixed = FIXED_SIZES.get(tag);
    if (fixed !== undefined) return fixed;
    const sized = SIZED.get(tag);
    if (sized === undefined) throw unexpected('a value', tag);
    return this.#number(sized.sizeBytes) + sized.extra;
  }

  #rawSize(bytesMax: number): number {
    const tag = this.#byte();
    if (tag === NIL) return 0;
    const sized = SIZED.get(tag);
    const isFixed = tag >= 0xa0 && tag <= 0xbf;
    if (!isFixed && (sized === undefined || sized.extra > 0)) throw unexpected('text or bytes', tag);
    const length = isFixed ? tag & 0x1f : this.#number(sized?.sizeBytes ?? 1);
    if (length > bytesMax) throw new WireFault('oversized', `${length} bytes where ${bytesMax} are allowed`);
    return length;
  }

  #integer(): number {
    const tag = this.#byte();
    if (tag <= 0x7f) return tag;
    if (tag === NIL) return 0;
    if (tag >= 0xe0) return tag - 0x100;
    if (tag >= 0xcc && tag <= 0xce) return this.#number(2 ** (tag - 0xcc));
    if (tag >= 0xd0 && tag <= 0xd2) return this.#signed(2 ** (tag - 0xd0));
    if (tag === 0xcf || tag === 0xd3) return this.#wide(tag === 0xd3);
    throw unexpected('a whole number', tag);
  }

  #number(sizeBytes: number): number {
    const start = this.#take(sizeBytes);
    return this.#bytes.readUIntBE(start, sizeBytes);
  }

  #signed(sizeBytes: number): number {
    const start = this.#take(sizeBytes);
    return this.#bytes.readIntBE(start, sizeBytes);
  }

  #wide(isSigned: boolean): number {
    const start = this.#take(8);
    const value = Number(isSigned ? this.#bytes.readBigInt64BE(start) : this.#bytes.readBigUInt64BE(start));
    if (!Number.isSafeInteger(value)) throw new WireFault('malformed', 'A number has more than 53 bits');
    return value;
  }

  #byte(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) throw new WireFault('truncated', 'The message ends too early');
    this.#at += 1;
    return value;
  }

  /** @returns where the run of `length` bytes began */
  #take(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw new WireFault('truncated', 'The message ends too early');
    this.#at = start + length;
    return start;
  }
}

/** Tags whose content has a size of its own: str8, raw16, raw32, bin, and ext with its type byte. */
const SIZED: ReadonlyMap<number, { sizeBytes: number; extra: number }> = new Map([
  [0xc4, { sizeBytes: 1, extra: 0 }],
  [0xc5, { sizeBytes: 2, extra: 0 }],
  [0xc6, { sizeBytes: 4, extra: 0 }],
  [0xc7, { sizeBytes: 1, extra: 1 }],
  [0xc8, { sizeBytes: 2, extra: 1 }],
  [0xc9, { sizeBytes: 4, extra: 1 }],
  [0xd9, { sizeBytes: 1, extra: 0 }],
  [0xda, { sizeBytes: 2, extra: 0 }],
  [0xdb, { sizeBytes: 4, extra: 0 }],
]);

const FIXED_SIZES: ReadonlyMap<number, number> = new Map([
  [0xca, 4],
  [0xcb, 8],
  [0xcc, 1],
  [0xcd, 2],
  [0xce, 4],
  [0xcf, 8],
  [0xd0, 1],
  [0xd1, 2],
  [0xd2, 4],
  [0xd3, 8],
]);

/** How many values follow a map's or an array's tag, or where that number stands; undefined for anything else. */
function childrenOf(tag: number): number | { sizeBytes: number; perEntry: number } | undefined {
  if (tag >= 0x80 && tag <= 0x8f) return (tag & 0x0f) * 2;
  if (tag >= 0x90 && tag <= 0x9f) return tag & 0x0f;
  if (tag === 0xdc || tag === 0xdd) return { sizeBytes: tag === 0xdc ? 2 : 4, perEntry: 1 };
  if (tag === 0xde || tag === 0xdf) return { sizeBytes: tag === 0xde ? 2 : 4, perEntry: 2 };
  return undefined;
}

function unexpected(wanted: string, tag: number): WireFault {
  return new WireFault('malformed', `Found tag 0x${tag.toString(16)} in place of ${wanted}`);
}
