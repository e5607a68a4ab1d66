/**
 * Reads LZW as Go's `compress/lzw` writes it with `LSB` order and eight literal bits: codes of 9 to 12 bits from the low
 * end, 256 clears the table, 257 ends. We only read: our own messages go uncompressed, which every memberlist takes.
 */
import { WireFault } from './wire-fault.ts';

const CLEAR = 256;
const END = 257;
const WIDTH_MIN = 9;
const WIDTH_MAX = 12;
const CODES = 1 << WIDTH_MAX;
const NO_CODE = -1;

/** @throws WireFault: malformed, truncated without an end code, oversized beyond `bytesMax` */
export function inflateLzw(input: Uint8Array, bytesMax: number): Buffer {
  const output = new BoundedOutput(bytesMax);
  const bits = new BitReader(input);
  const suffix = new Uint8Array(CODES);
  const prefix = new Uint16Array(CODES);
  const scratch = new Uint8Array(CODES);
  let width = WIDTH_MIN;
  let highest = END;
  let last = NO_CODE;
  for (;;) {
    const code = bits.read(width);
    if (code === CLEAR) {
      width = WIDTH_MIN;
      highest = END;
      last = NO_CODE;
      continue;
    }
    if (code === END) return output.finish();
    if (code > highest) throw new WireFault('malformed', `LZW code ${code} is not defined yet`);
    // The code that is being defined right now stands for the last text and its own first byte.
    const isNew = code === highest && last !== NO_CODE && code > END;
    let start = CODES;
    let walk = isNew ? last : code;
    if (isNew) start -= 1;
    while (walk > END) {
      start -= 1;
      scratch[start] = suffix[walk] ?? 0;
      walk = prefix[walk] ?? 0;
    }
    start -= 1;
    scratch[start] = walk;
    if (isNew) scratch[CODES - 1] = walk;
    output.append(scratch.subarray(start));
    if (last !== NO_CODE && highest < CODES) {
      suffix[highest] = walk;
      prefix[highest] = last;
    }
    last = code;
    highest += 1;
    if (highest >= 1 << width) {
      if (width < WIDTH_MAX) width += 1;
      else {
        // The table is full: until the next clear nothing is defined any more.
        last = NO_CODE;
        highest -= 1;
      }
    }
  }
}

class BitReader {
  readonly #input: Uint8Array;
  #at = 0;
  #bits = 0;
  #held = 0;

  constructor(input: Uint8Array) {
    this.#input = input;
  }

  read(width: number): number {
    while (this.#held < width) {
      const byte = this.#input[this.#at];
      if (byte === undefined) throw new WireFault('truncated', 'LZW data has no end code');
      this.#bits |= byte << this.#held;
      this.#held += 8;
      this.#at += 1;
    }
    const code = this.#bits & ((1 << width) - 1);
    this.#bits >>>= width;
    this.#held -= width;
    return code;
  }
}

class BoundedOutput {
  readonly #bytesMax: number;
  #buffer: Buffer;
  #size = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#buffer = Buffer.allocUnsafe(Math.min(bytesMax, 4_096));
  }

  append(bytes: Uint8Array): void {
    const wanted = this.#size + bytes.length;
    if (wanted > this.#bytesMax) throw new WireFault('oversized', `Inflates to more than ${this.#bytesMax} bytes`);
    if (wanted > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.#bytesMax, Math.max(wanted, this.#buffer.length * 2)));
      larger.set(this.#buffer.subarray(0, this.#size));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#size);
    this.#size = wanted;
  }

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#size);
  }
}
