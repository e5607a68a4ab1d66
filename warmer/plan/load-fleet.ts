/** What every node has to fetch, and what the fleet has already. Pure. */
import { BitSet } from './bit-set.ts';
import type { ImageTable } from './fit/image-table.ts';
import { NodeScale } from './fit/node-load.ts';
import type { PlanNode } from './plan-input.ts';

export interface FleetLoad {
  /** By node: numbers of the images that it gets or has. */
  readonly images: readonly BitSet[];
  /** By image: the nodes that get it or have it of those that want it. */
  readonly receivers: readonly BitSet[];
  /** By node. */
  readonly bytesMissing: readonly number[];
  /** By image: nodes that have all of it, wanted or not. */
  readonly holders: readonly BitSet[];
  /** By image: nodes that have to fetch some of it. */
  readonly missing: readonly BitSet[];
  /** By image: bytes missing, over the nodes that get it. */
  readonly missingBytes: Float64Array;
  /** By image: names of nodes without room for it. */
  readonly refused: ReadonlyMap<number, readonly string[]>;
  /** Numbers of blobs. */
  readonly blobsNeeded: BitSet;
  readonly blobsToMove: BitSet;
  readonly blobsHeld: BitSet;
}

/** Bytes that a plan may put on a node. */
export function roomOn({ freeBytes }: PlanNode, maxBytesPerNode: number | undefined): number {
  return Math.min(freeBytes ?? Number.POSITIVE_INFINITY, maxBytesPerNode ?? Number.POSITIVE_INFINITY);
}

/** @param chosen by image: the nodes that it goes to */
export function loadFleet(
  table: ImageTable,
  chosen: readonly BitSet[],
  fleet: { nodes: readonly PlanNode[]; maxBytesPerNode: number | undefined },
): FleetLoad {
  const { nodes } = fleet;
  const holders = table.images.map(() => new BitSet(nodes.length));
  const missing = table.images.map(() => new BitSet(nodes.length));
  const missingBytes = new Float64Array(table.images.length);
  const blobsToMove = new BitSet(table.blobCount);
  const blobsHeld = new BitSet(table.blobCount);
  const scale = new NodeScale(table, {
    onHeld: (image, node) => holders[image]?.add(node),
    onMissing(image, node, bytes) {
      missing[image]?.add(node);
      missingBytes[image] = (missingBytes[image] ?? 0) + bytes;
    },
    onBlobToMove: (blob) => blobsToMove.add(blob),
    onBlobHeld: (blob) => blobsHeld.add(blob),
  });
  const wanted = transposed(chosen, nodes.length);
  const refused = new Map<number, string[]>();
  const loads = nodes.map((node, index) => {
    const roomBytes = roomOn(node, fleet.maxBytesPerNode);
    const load = scale.weigh(node, { index, wanted: wanted[index] ?? new BitSet(0), roomBytes });
    for (const { image, bytes } of load.refused) {
      missing[image]?.delete(index);
      missingBytes[image] = (missingBytes[image] ?? 0) - bytes;
      const names = refused.get(image) ?? [];
      names.push(node.name);
      refused.set(image, names);
    }
    return load;
  });
  return {
    images: loads.map(({ images }) => images),
    receivers: transposed(
      loads.map(({ images }) => images),
      table.images.length,
    ),
    bytesMissing: loads.map(({ bytesMissing }) => bytesMissing),
    holders,
    missing,
    missingBytes,
    refused,
    blobsNeeded: neededBlobs(table, loads, nodes),
    blobsToMove,
    blobsHeld,
  };
}

/** Sets of columns by row become sets of rows by column. */
function transposed(rows: readonly BitSet[], columnCount: number): BitSet[] {
  const columns = Array.from({ length: columnCount }, () => new BitSet(rows.length));
  rows.forEach((row, index) => {
    row.forEach((column) => {
      columns[column]?.add(index);
    });
  });
  return columns;
}

/** Nodes of one platform with the same images need the same blobs, so each such set is walked once. */
function neededBlobs(table: ImageTable, loads: readonly { images: BitSet }[], nodes: readonly PlanNode[]): BitSet {
  const needed = new BitSet(table.blobCount);
  const seen = new Map<unknown, Set<string>>();
  loads.forEach(({ images }, index) => {
    const node = nodes[index];
    if (node === undefined) return;
    const portions = table.portionsFor(node.platform);
    const keys = seen.get(portions) ?? new Set<string>();
    seen.set(portions, keys);
    const key = images.key();
    if (keys.has(key)) return;
    keys.add(key);
    images.forEach((image) => {
      for (const blob of portions[image]?.blobs ?? []) needed.add(blob);
    });
  });
  return needed;
}
