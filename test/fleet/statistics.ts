/** Numbers about numbers. Pure. */

/** The middle value, or the mean of the two middle ones; undefined of none. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const high = sorted[Math.floor(sorted.length / 2)];
  const low = sorted[Math.ceil(sorted.length / 2) - 1];
  return high === undefined || low === undefined ? undefined : (low + high) / 2;
}

/** undefined of none. */
export function least(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.min(...values);
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The part of a link's rate that so many bytes in so many seconds make, 1 being all of it. */
export function shareOfLink(bytes: number, seconds: number, linkBytesPerSecond: number): number {
  return bytes / seconds / linkBytesPerSecond;
}

/** Decimals enough to compare, and no more. */
export function rounded(value: number, decimals = 3): number {
  return Number(value.toFixed(decimals));
}
