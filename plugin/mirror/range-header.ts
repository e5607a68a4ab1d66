/** `Range` of bytes (RFC 9110, section 14.1.2): which parts of a whole are asked for. Pure. */
import { RANGES_MAX } from './limits.ts';

/** Half-open, `[start, end)`, never empty. */
export interface BytePart {
  readonly start: number;
  readonly end: number;
}

/** `whole`: no range that counts. `parts`: these, in the order in which they were asked for. `none`: no byte of it is there. */
export type Parts =
  | { readonly kind: 'whole' }
  | { readonly kind: 'parts'; readonly parts: readonly BytePart[] }
  | { readonly kind: 'none' };

const WHOLE: Parts = { kind: 'whole' };
const SPEC = /^(\d{1,15})?-(\d{1,15})?$/;
/** Overlapping parts in one request that are still honest (RFC 9110, section 14.2: "more than two overlapping ranges"). */
const OVERLAPS_MAX = 2;

/** What a header means for a whole of `size` bytes. One that is not understood does not count, as the RFC wants. */
export function parseRange(header: string | undefined, size: number): Parts {
  const list = /^\s*bytes\s*=(.*)$/i.exec(header ?? '')?.[1];
  if (list === undefined) return WHOLE;
  const specs = list
    .split(',')
    .map((spec) => spec.trim())
    .filter((spec) => spec !== '');
  if (specs.length === 0 || specs.length > RANGES_MAX) return WHOLE;
  const parts: BytePart[] = [];
  for (const spec of specs) {
    const part = partOf(spec, size);
    if (part === 'invalid') return WHOLE;
    if (part !== undefined) parts.push(part);
  }
  if (parts.length === 0) return { kind: 'none' };
  return overlapsIn(parts) > OVERLAPS_MAX ? WHOLE : { kind: 'parts', parts };
}

/** Undefined when nothing of it is there. */
function partOf(spec: string, size: number): BytePart | 'invalid' | undefined {
  const [found, first, last] = SPEC.exec(spec) ?? [];
  if (found === undefined || (first === undefined && last === undefined)) return 'invalid';
  if (first === undefined) {
    const length = Math.min(Number(last), size);
    return length === 0 ? undefined : { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== undefined && Number(last) < start) return 'invalid';
  if (start >= size) return undefined;
  return { start, end: last === undefined ? size : Math.min(size, Number(last) + 1) };
}

function overlapsIn(parts: readonly BytePart[]): number {
  const sorted = parts.toSorted((a, b) => a.start - b.start);
  let reached = 0;
  let overlaps = 0;
  for (const { start, end } of sorted) {
    if (start < reached) overlaps += 1;
    reached = Math.max(reached, end);
  }
  return overlaps;
}
