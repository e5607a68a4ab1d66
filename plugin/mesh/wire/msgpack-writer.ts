/**
 * Writes MessagePack the way go-msgpack does without extensions: the shortest form of each number, strings and bytes as
 * "raw" (no str8, no bin), so that every release of memberlist and serf reads it.
 */

const INITIAL_BYTES = 256;

export class MsgpackWriter {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #size = 0;

  /** A copy of what was written. */
  finish(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#size));
  }

  /** One byte as it is: a message's type. */
  raw(byte: number): this {
    this.#reserve(1);
    this.#buffer[this.#size] = byte;
    this.#size += 1;
    return this;
  }

  /** Bytes as they are. */
  append(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#size);
    this.#size += bytes.length;
    return this;
  }

  nil(): this {
    return this.raw(0xc0);
  }

  bool(value: boolean): this {
    return this.raw(value ? 0xc3 : 0xc2);
  }

  uint(value: number): this {
    if (value <= 0x7f) return this.raw(value);
    if (value <= 0xff) return this.raw(0xcc).raw(value);
    if (value <= 0xffff) return this.raw(0xcd).#number(value, 2);
    if (value <= 0xffff_ffff) return this.raw(0xce).#number(value, 4);
    return this.raw(0xcf)
      .#number(Math.floor(value / 2 ** 32), 4)
      .#number(value % 2 ** 32, 4);
  }

  text(value: string): this {
    return this.bytes(Buffer.from(value, 'utf8'));
  }

  bytes(value: Uint8Array): this {
    return this.#head(value.length, { fixed: 0xa0, fixedMax: 31, wide: 0xda }).append(value);
  }

  map(entries: number): this {
    return this.#head(entries, { fixed: 0x80, fixedMax: 15, wide: 0xde });
  }

  array(items: number): this {
    return this.#head(items, { fixed: 0x90, fixedMax: 15, wide: 0xdc });
  }

  #head(count: number, tags: { fixed: number; fixedMax: number; wide: number }): this {
    if (count <= tags.fixedMax) return this.raw(tags.fixed | count);
    if (count <= 0xffff) return this.raw(tags.wide).#number(count, 2);
    return this.raw(tags.wide + 1).#number(count, 4);
  }

  #number(value: number, sizeBytes: number): this {
    this.#reserve(sizeBytes);
    this.#buffer.writeUIntBE(value, this.#size, sizeBytes);
    this.#size += sizeBytes;
    return this;
  }

  #reserve(bytes: number): void {
    const wanted = this.#size + bytes;
    if (wanted <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(wanted, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#size));
    this.#buffer = larger;
  }
}
