/** `Content-Range` (RFC 9110, section 14.4). */

/** Bytes from `start` up to, not including, `end`; `size` of the whole when it is told. */
export interface ContentRange {
  start: number;
  end: number;
  size?: number;
}

/** Parses `bytes 0-9/100` and `bytes 0-9/*`; undefined for anything else, also for numbers past 2^53 − 1. */
export function parseContentRange(value: string | undefined): ContentRange | undefined {
  const found = /^\s*bytes\s+(\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)\s*$/i.exec(value ?? '');
  if (found === null) return undefined;
  const [start, last] = [Number(found[1]), Number(found[2])];
  const size = found[3] === '*' ? undefined : Number(found[3]);
  if (![start, last, size ?? 0].every(Number.isSafeInteger) || last < start) return undefined;
  if (size !== undefined && last >= size) return undefined;
  return { start, end: last + 1, ...(size === undefined ? {} : { size }) };
}
