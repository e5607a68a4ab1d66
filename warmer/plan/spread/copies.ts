/** So many copies of each image, spread over zones, where there is room. Pure and without chance: the same input, the same nodes. */
import { BitSet } from '../bit-set.ts';
import type { ImageTable } from '../fit/image-table.ts';
import type { PlanNode } from '../plan-input.ts';
import type { Targets } from '../targets.ts';
import { type Placed, zoneOrder } from './zone-order.ts';

/** A node while copies are handed out. */
interface Shelf extends Placed {
  roomBytes: number;
  /** Numbers of blobs that it has or is to get. */
  readonly blobs: Set<number>;
}

/** More than any difference in preference, so that a copy that is there already counts before any other. */
const HELD_SCORE = 1e9;

/** @returns by image: the nodes that get it, at most `copies` of its targets */
export function spreadCopies(
  table: ImageTable,
  targets: Targets,
  fleet: { nodes: readonly PlanNode[]; placed: readonly Placed[]; copies: number; roomOf: (node: PlanNode) => number },
): BitSet[] {
  const shelves = fleet.placed.map((placed): Shelf => {
    const node = fleet.nodes[placed.index];
    const held = [...(node?.holds ?? [])].map((digest) => table.blobOf(digest)).filter((blob) => blob !== undefined);
    return { ...placed, roomBytes: node === undefined ? 0 : fleet.roomOf(node), blobs: new Set(held) };
  });
  const missingOn = (shelf: Shelf, image: number): Int32Array => {
    const platform = fleet.nodes[shelf.index]?.platform;
    const portion = platform === undefined ? undefined : table.portionsFor(platform)[image];
    return portion?.blobs.filter((blob) => !shelf.blobs.has(blob)) ?? new Int32Array();
  };
  return targets.nodes.map((willing, image) => {
    const chosen = new BitSet(fleet.nodes.length);
    const preference = targets.preferences[image];
    const candidates = willing.toArray().flatMap((index) => shelves[index] ?? []);
    const score = (shelf: Shelf) =>
      (preference?.[shelf.index] ?? 0) +
      (table.isResolved(image) && missingOn(shelf, image).length === 0 ? HELD_SCORE : 0);
    const scores = new Map(candidates.map((shelf) => [shelf, score(shelf)]));
    let left = fleet.copies;
    for (const shelf of zoneOrder(candidates, {
      salt: table.images[image]?.reference ?? '',
      score: (one) => scores.get(one) ?? 0,
    })) {
      if (left === 0) break;
      if (!put(shelf, missingOn(shelf, image), table)) continue;
      chosen.add(shelf.index);
      left -= 1;
    }
    return chosen;
  });
}

function put(shelf: Shelf, blobs: Int32Array, table: ImageTable): boolean {
  const bytes = blobs.reduce((sum, blob) => sum + table.sizeOf(blob), 0);
  if (bytes > shelf.roomBytes) return false;
  shelf.roomBytes -= bytes;
  for (const blob of blobs) shelf.blobs.add(blob);
  return true;
}
