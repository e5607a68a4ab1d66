/** So many copies of each image, spread over zones, where there is room. Pure and without chance: the same input, the same nodes. */
import { CodedError } from '../../../core/runtime/errors.ts';
import { BitSet } from '../bit-set.ts';
import type { ImageTable } from '../fit/image-table.ts';
import type { PlanNode } from '../plan-input.ts';
import type { Targets } from '../targets.ts';
import { pickOverZones } from './pick-over-zones.ts';
import { hashText, mixHashes } from './rendezvous.ts';
import type { Placed } from './zone-order.ts';

/** A node while copies are handed out. */
interface Shelf extends Placed {
  readonly node: PlanNode;
  roomBytes: number;
  /** Numbers of blobs that it has or is to get. */
  readonly blobs: BitSet;
  /** For the image at hand. */
  score: number;
  rank: number;
}

/** More than any difference in preference, so that a copy that is there already counts before any other. */
const HELD_SCORE = 1e9;

interface Fleet {
  readonly nodes: readonly PlanNode[];
  readonly placed: readonly Placed[];
  readonly copies: number;
  roomOf(node: PlanNode): number;
}

/** @returns by image: the nodes that get it, at most `copies` of its targets */
export function spreadCopies(table: ImageTable, targets: Targets, fleet: Fleet): BitSet[] {
  const shelves = fleet.placed.map((placed) => makeShelf(placed, table, fleet));
  return targets.nodes.map((willing, image) => {
    const salt = hashText(table.images[image]?.reference ?? '');
    const preference = targets.preferences[image];
    const candidates: Shelf[] = [];
    willing.forEach((index) => {
      const shelf = shelves[index];
      if (shelf === undefined) return;
      const bytes = missingBytes(shelf, image, table);
      if (bytes > shelf.roomBytes) return;
      shelf.score = (preference?.[index] ?? 0) + (bytes === 0 && table.isResolved(image) ? HELD_SCORE : 0);
      shelf.rank = mixHashes(salt, shelf.hash);
      candidates.push(shelf);
    });
    const chosen = new BitSet(fleet.nodes.length);
    for (const shelf of pickOverZones(candidates, fleet.copies)) {
      put(shelf, image, table);
      chosen.add(shelf.index);
    }
    return chosen;
  });
}

function makeShelf(placed: Placed, table: ImageTable, fleet: Fleet): Shelf {
  const node = fleet.nodes[placed.index];
  if (node === undefined) throw new CodedError('INTERNAL', `No node has the number ${placed.index}`);
  const blobs = new BitSet(table.blobCount);
  for (const digest of node.holds) {
    const blob = table.blobOf(digest);
    if (blob !== undefined) blobs.add(blob);
  }
  return { ...placed, node, roomBytes: fleet.roomOf(node), blobs, score: 0, rank: 0 };
}

function missingBytes(shelf: Shelf, image: number, table: ImageTable): number {
  let bytes = 0;
  for (const blob of table.portionsFor(shelf.node.platform)[image]?.blobs ?? []) {
    if (!shelf.blobs.has(blob)) bytes += table.sizeOf(blob);
  }
  return bytes;
}

function put(shelf: Shelf, image: number, table: ImageTable): void {
  shelf.roomBytes -= missingBytes(shelf, image, table);
  for (const blob of table.portionsFor(shelf.node.platform)[image]?.blobs ?? []) shelf.blobs.add(blob);
}
