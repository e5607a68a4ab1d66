/** Which images of an order fit on this node: the first ones win, and a blob of several images counts once. Pure. */
import type { Digest } from '../../../core/oci/digest.ts';
import { formatBytes } from '../../../core/runtime/units.ts';

/** What an image still lacks here. */
export interface Lack {
  readonly image: number;
  readonly missing: readonly { readonly digest: Digest; readonly bytes: number }[];
}

export interface Room {
  /** What the disk can take. */
  readonly bytes: number;
  /** What the order may fetch; undefined: no limit. */
  readonly maxBytes?: number | undefined;
}

export interface Unfit {
  readonly reason: string;
  readonly isRetriable: boolean;
}

/** Those that do not fit, by their place, with the reason. */
export function unfitImages(lacks: readonly Lack[], room: Room): ReadonlyMap<number, Unfit> {
  const planned = new Set<Digest>();
  const unfit = new Map<number, Unfit>();
  let plannedBytes = 0;
  for (const { image, missing } of lacks) {
    const more = missing.filter(({ digest }) => !planned.has(digest));
    const bytes = more.reduce((sum, one) => sum + one.bytes, 0);
    const why = bytes === 0 ? undefined : whyNot(bytes, plannedBytes, room);
    if (why !== undefined) {
      unfit.set(image, why);
      continue;
    }
    plannedBytes += bytes;
    for (const { digest } of more) planned.add(digest);
  }
  return unfit;
}

function whyNot(bytes: number, plannedBytes: number, room: Room): Unfit | undefined {
  const needs = `It lacks ${formatBytes(bytes)}`;
  if (plannedBytes + bytes > room.bytes) {
    const left = formatBytes(Math.max(0, room.bytes - plannedBytes));
    return { reason: `${needs}, and this disk has room for ${left} more`, isRetriable: true };
  }
  if (room.maxBytes !== undefined && plannedBytes + bytes > room.maxBytes) {
    const left = formatBytes(Math.max(0, room.maxBytes - plannedBytes));
    return { reason: `${needs}, and ${left} more may be fetched to one node`, isRetriable: false };
  }
  return undefined;
}
