/**
 * Header blocks of requests (HPACK, RFC 7541). A client's calls look alike, so blocks that were seen since the last change
 * of the dynamic table are not decoded again.
 */
import { CodedError } from '../../../core/runtime/errors.ts';
import { fieldSize, type HeaderField, HpackTable } from './hpack-table.ts';
import { decodeHuffman } from './huffman.ts';
import { HEADER_LIST_BYTES_MAX, HEADER_TABLE_BYTES } from './limits.ts';

/** Blocks remembered: one for each kind of call, and room. */
const SEEN_MAX = 64;
/** Longer blocks are not remembered. */
const SEEN_BYTES_MAX = 128;

/** What a call needs to know of its headers; the rest is dropped. */
export interface RequestHeaders {
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
}

/** One for each connection, fed with every header block in order. */
export class HpackDecoder {
  readonly #table = new HpackTable(HEADER_TABLE_BYTES);
  readonly #seen = new Map<string, RequestHeaders>();

  /** @throws CodedError INVALID_ARGUMENT: the connection's tables are out of step then, so it has to end */
  decode(block: Buffer): RequestHeaders {
    const key = block.length > SEEN_BYTES_MAX ? undefined : block.toString('latin1');
    const known = key === undefined ? undefined : this.#seen.get(key);
    if (known !== undefined) return known;
    const { headers, isTableChanged } = new BlockReader(block, this.#table).read();
    if (isTableChanged) this.#seen.clear();
    else if (key !== undefined && this.#seen.size < SEEN_MAX) this.#seen.set(key, headers);
    return headers;
  }
}

class BlockReader {
  readonly #block: Buffer;
  readonly #table: HpackTable;
  #at = 0;
  #isTableChanged = false;

  constructor(block: Buffer, table: HpackTable) {
    this.#block = block;
    this.#table = table;
  }

  read(): { headers: RequestHeaders; isTableChanged: boolean } {
    const headers = { method: '', path: '', contentType: '' };
    let bytes = 0;
    while (this.#at < this.#block.length) {
      const field = this.#field();
      if (field === undefined) continue;
      bytes += fieldSize(field);
      if (bytes > HEADER_LIST_BYTES_MAX) throw malformed('too many headers');
      if (field.name === ':method') headers.method = field.value;
      else if (field.name === ':path') headers.path = field.value;
      else if (field.name === 'content-type') headers.contentType = field.value;
    }
    return { headers, isTableChanged: this.#isTableChanged };
  }

  /** One representation (RFC 7541 §6); undefined for a change of the table's size. */
  #field(): HeaderField | undefined {
    const first = this.#block[this.#at] ?? 0;
    if (first >= 0x80) return this.#indexed(this.#integer(7));
    if (first >= 0x40) {
      const field = this.#literal(6);
      this.#table.add(field);
      this.#isTableChanged = true;
      return field;
    }
    if (first < 0x20) return this.#literal(4);
    const size = this.#integer(5);
    if (size > HEADER_TABLE_BYTES) throw malformed('a table larger than allowed');
    this.#table.resize(size);
    this.#isTableChanged = true;
    return undefined;
  }

  #indexed(index: number): HeaderField {
    const field = index === 0 ? undefined : this.#table.get(index);
    if (field === undefined) throw malformed(`no entry ${index}`);
    return field;
  }

  #literal(prefixBits: number): HeaderField {
    const index = this.#integer(prefixBits);
    const name = index === 0 ? this.#string() : this.#indexed(index).name;
    return { name, value: this.#string() };
  }

  #string(): string {
    const isHuffman = ((this.#block[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(7);
    const start = this.#at;
    if (length > this.#block.length - start) throw malformed('a string longer than its block');
    this.#at = start + length;
    if (isHuffman) return decodeHuffman(this.#block.subarray(start, this.#at));
    return this.#block.toString('latin1', start, this.#at);
  }

  /** An integer with a prefix (RFC 7541 §5.1), bounded far below 2^31. */
  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw malformed('a number too large');
  }

  #byte(): number {
    const byte = this.#block[this.#at];
    if (byte === undefined) throw malformed('an end in the middle');
    this.#at += 1;
    return byte;
  }
}

function malformed(what: string): CodedError {
  return new CodedError('INVALID_ARGUMENT', `Header block is not well-formed: ${what}`);
}
