/** Which bytes of a file are there: disjoint half-open ranges in order, joined where they touch. Pure. */
import type { ByteRange } from './partial-store.ts';

export class ByteRanges {
  readonly #ranges: Array<{ start: number; end: number }> = [];
  #bytes = 0;

  /** Sum of the ranges' lengths. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many separate ranges there are. */
  get count(): number {
    return this.#ranges.length;
  }

  /** Adds `[start, end)`; what is there already stays. */
  add(start: number, end: number): void {
    if (end <= start) return;
    const first = this.#firstEndingAtOrAfter(start);
    let last = first;
    let joined = { start, end };
    for (let range = this.#ranges[last]; range !== undefined && range.start <= end; range = this.#ranges[last]) {
      joined = { start: Math.min(joined.start, range.start), end: Math.max(joined.end, range.end) };
      this.#bytes -= range.end - range.start;
      last += 1;
    }
    this.#ranges.splice(first, last - first, joined);
    this.#bytes += joined.end - joined.start;
  }

  /** Takes `[start, end)` out; what is not there stays absent. */
  remove(start: number, end: number): void {
    if (end <= start) return;
    const first = this.#firstEndingAtOrAfter(start + 1);
    const left: Array<{ start: number; end: number }> = [];
    let last = first;
    for (let range = this.#ranges[last]; range !== undefined && range.start < end; range = this.#ranges[last]) {
      if (range.start < start) left.push({ start: range.start, end: start });
      if (range.end > end) left.push({ start: end, end: range.end });
      this.#bytes -= Math.min(end, range.end) - Math.max(start, range.start);
      last += 1;
    }
    this.#ranges.splice(first, last - first, ...left);
  }

  /** True when every byte of `[start, end)` is there. */
  covers(start: number, end: number): boolean {
    return this.firstGap(start, end) === undefined;
  }

  /** The first run of absent bytes within `[start, end)`; undefined when there is none. */
  firstGap(start: number, end: number): ByteRange | undefined {
    if (start >= end) return undefined;
    const index = this.#firstEndingAtOrAfter(start + 1);
    const range = this.#ranges[index];
    if (range === undefined || range.start >= end) return { start, end };
    if (range.start > start) return { start, end: range.start };
    if (range.end >= end) return undefined;
    const next = this.#ranges[index + 1];
    return { start: range.end, end: Math.min(end, next?.start ?? end) };
  }

  /** How many bytes from 0 are there without a gap. */
  prefixBytes(): number {
    const first = this.#ranges[0];
    return first?.start === 0 ? first.end : 0;
  }

  /** Index of the first range whose end is at or after `offset` (binary search). */
  #firstEndingAtOrAfter(offset: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const range = this.#ranges[middle];
      if (range !== undefined && range.end < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
